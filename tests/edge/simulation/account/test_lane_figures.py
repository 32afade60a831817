"""Purity and recovery of a lane."""

from __future__ import annotations

from collections import Counter

from edge.core.model.metrics import Share
from edge.simulation.account.lane_figures import lane_figures

LANES = {"metal": ["can"], "paper": ["carton", "ball"], "rest": []}


def test_purity_is_of_what_is_in_the_lane_and_recovery_of_what_belongs_there() -> None:
    fallen = Counter(
        [
            *[("can", "metal")] * 8,
            ("can", "rest"),
            ("can", "paper"),
            ("carton", "paper"),
            ("ball", "paper"),
            ("ball", "metal"),
        ]
    )
    lanes = lane_figures(fallen, LANES)
    assert (lanes["metal"].purity, lanes["metal"].recovery) == (Share(8, 9), Share(8, 10))
    assert (lanes["paper"].purity, lanes["paper"].recovery) == (Share(2, 3), Share(2, 3))
    assert lanes["paper"].found == {"ball": 1, "can": 1, "carton": 1}
    assert lanes["rest"].to_json() == {
        "labels": [],
        "items": 1,
        "found": {"can": 1},
        "purity": None,
        "purity_interval": None,
        "recovery": None,
        "recovery_interval": None,
    }
