"""The model of a station is changed while it runs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.config.reading import read_station
from edge.core.errors import (
    LabelLaneError,
)
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.verdict import Prediction
from edge.events import (
    ModelChanged,
    of_items,
)
from edge.ledger.ledger import Ledger
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.loop import Watch
from edge.sorting.model import ActiveModel, open_model
from edge.sorting.openers import Openers
from edge.sorting.sorter import Outcome
from edge.station import Station
from tests.bundles import LABELS, make_bundle
from tests.edge.station_runs import NewRun
from tests.edge.stations import STATION

pytestmark = pytest.mark.usefixtures("ledger_within")


def test_each_row_names_the_model_that_judged_its_item(new_run: NewRun, tmp_path: Path) -> None:
    """Models are changed after each verdict, before its row is written: no row may notice.

    The second has the labels of the first in another order, the third one label less.
    """
    run = new_run(STATION.replace("second: 1000", "second: 1000, loop: true"))
    folders = {
        "turned": make_bundle(tmp_path / "turned", labels=("blue", "red", "green"), name="turned"),
        "few": make_bundle(tmp_path / "few", name="few"),
    }
    plan = read_station(run.file)
    models = [open_model(plan)]
    models += [open_model(read_station(run.file, bundle=folder)) for folder in folders.values()]
    models[2] = with_two_labels(models[2])
    following = itertools.cycle(models[1:] + models[:1])
    judged: list[tuple[str, str, str]] = []

    def change(outcome: Outcome) -> None:
        verdict = outcome.verdict
        judged.append((outcome.frame.source, verdict.label, verdict.title))
        station.change_model(next(following))

    with Station(
        plan,
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        openers=Openers(pins=lambda: run.pins),
        clock=VirtualClock(),
        watch=Watch(change),
    ) as station:
        tally = station.run(max_items=12)
    entries = run.entries()
    assert tally.items == len(entries) == 12
    assert [(e.source, e.label, e.bundle) for e in entries] == judged
    expected = [
        ("0.png", "red", "tiny 1"),
        ("1.png", "red", "turned 1"),
        ("2.png", "blue", "few 1"),
    ]
    assert judged == expected * 4
    assert [e.bundle_digest for e in entries] == [m.digest for m in models] * 4
    assert [tuple(e.scores or ()) for e in entries] == [
        LABELS, ("blue", "red", "green"), ("red", "blue"),
    ] * 4  # fmt: skip
    assert [e.lane for e in entries] == ["warm", "warm", "cold"] * 4
    assert "model      few 1  (digest" in "".join(run.said)
    with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
        changes = [e.bundle for e in ledger.happenings() if isinstance(e, ModelChanged)]
    assert changes == ["turned 1", "few 1", "tiny 1"] * 4


def with_two_labels(model: ActiveModel) -> ActiveModel:
    """`model` without its second score."""
    classifier = model.classifier

    class Two:
        spec = classifier.spec

        def predict(
            self,
            image: Image,
            *,
            box: Box | None = None,
            meanwhile: Callable[[], None] | None = None,
        ) -> Prediction:
            prediction = classifier.predict(image, box=box, meanwhile=meanwhile)
            return prediction._replace(scores=prediction.scores[[0, 2]])

    labels = [model.rules.labels[0], model.rules.labels[2]]
    return replace(model, classifier=Two(), rules=replace(model.rules, labels=labels))


def test_an_unreadable_picture_names_the_model_that_would_have_judged_it(
    new_run: NewRun, tmp_path: Path
) -> None:
    run = new_run()
    (run.file.parent / "photos" / "1.png").write_bytes(b"")
    other = make_bundle(tmp_path / "other", name="other")
    plan = read_station(run.file, bundle=other)

    def change(outcome: Outcome) -> None:
        station.change_model(open_model(plan))

    with Station(
        read_station(run.file),
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        openers=Openers(pins=lambda: run.pins),
        watch=Watch(change),
    ) as station:
        station.run()
    assert [(e.bundle, e.reject) for e in run.entries()] == [
        ("tiny 1", None),
        ("other 1", "unreadable"),
        ("other 1", None),
    ]


def test_a_model_with_a_label_that_no_lane_takes_does_not_become_the_station_s(
    new_run: NewRun,
) -> None:
    run = new_run()
    plan = read_station(run.file)
    model = open_model(plan)
    strange = replace(model, rules=replace(model.rules, labels=("red", "empty", "glass")))
    with Station(
        plan,
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        openers=Openers(pins=lambda: run.pins),
        watch=Watch(lambda outcome: station.change_model(model)),
    ) as station:
        with pytest.raises(LabelLaneError, match="tiny 1: the station has no lane for 'glass'"):
            station.change_model(strange)
        assert station.run().items == 3
    assert [e.label for e in run.entries()] == [*LABELS]
