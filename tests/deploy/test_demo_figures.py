"""Purity and recovery, and whether they are good enough."""

from __future__ import annotations

import pytest

from deploy.demo.figures import is_below, lane_figures, shortcomings
from edge.model.metrics import Share

LANES = {"metal": ["can"], "paper": ["carton", "ball"], "rest": []}


def test_purity_is_of_what_is_in_the_lane_and_recovery_of_what_belongs_there() -> None:
    fates = [
        *[("can", "metal")] * 8,
        ("can", "rest"),
        ("can", "paper"),
        ("carton", "paper"),
        ("ball", "paper"),
        ("ball", "metal"),
    ]
    lanes = lane_figures(fates, LANES)
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


@pytest.mark.parametrize(
    ("fates", "words"),
    [
        ([("can", "metal"), ("carton", "paper")], []),
        ([*[("can", "metal")] * 19, ("can", "rest"), ("carton", "paper")], []),
        (
            [*[("can", "metal")] * 18, *[("can", "rest")] * 2, ("carton", "paper")],
            ["lane metal: recovery 90.0%"],
        ),
        (
            [("can", "metal"), ("carton", "metal")],
            ["metal: purity", "paper: no item", "paper: rec"],
        ),
        # A lane that nothing fell into, and nothing should have, proves nothing.
        ([("can", "metal")], ["paper: no item, so no purity", "paper: no item, so no recovery"]),
    ],
)
def test_each_lane_must_reach_the_bar(fates: list[tuple[str, str]], words: list[str]) -> None:
    found = shortcomings(lane_figures(fates, LANES), least=0.95)
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))


@pytest.mark.parametrize(
    ("one", "other", "below"),
    [
        (Share(95, 100), Share(96, 100), False),
        (Share(80, 100), Share(96, 100), True),
        (Share(96, 100), Share(80, 100), False),
        # Of few, little follows.
        (Share(4, 5), Share(96, 100), False),
        (Share(0, 0), Share(96, 100), False),
        (Share(940, 1000), Share(960, 1000), True),
    ],
)
def test_below_is_said_only_where_chance_does_not_explain_it(
    one: Share, other: Share, below: bool
) -> None:
    assert is_below(one, other) is below
