"""A running station shows its picture, takes labelled ones, and tells its state as before."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from edge.config.reading import StationPlan, read_station
from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.rollout.reloading import BundleReload
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.model import ActiveModel, open_model
from edge.sorting.openers import Openers
from edge.station import Station
from edge.teaching.answers import StationAnswers
from tests.edge.station_runs import NewRun
from tests.edge.stations import STATION, make_station
from tests.edge.teaching.views import View, passes, virtual


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    with virtual() as found:
        yield found


def state(request: ControlRequest) -> ControlAnswer:
    return ControlAnswer(True, {"state": "Execute", "for": request.who})


def bundles(plan: StationPlan) -> BundleReload:
    def change(model: ActiveModel) -> None:
        raise AssertionError("the bundle is the same")

    return BundleReload(plan, open_model=open_model, change=change, judging=nullcontext)


def asked(answers: StationAnswers, command: ControlCommand, label: str = "") -> ControlAnswer:
    return answers.answer(ControlRequest(command, "ana", label=label))


def test_each_question_has_its_answer(tmp_path: Path, bundle: Path, clock: VirtualClock) -> None:
    plan = read_station(make_station(tmp_path / "s", bundle=bundle))
    view = View(clock)
    log: dict[str, object] = {"lines": []}
    with StationAnswers(
        plan, seen=view, state=state, bundles=bundles(plan), log=lambda: log, clock=clock
    ) as answers:
        assert asked(answers, ControlCommand.LOG).shown == log
        assert asked(answers, ControlCommand.STATE).state == {"state": "Execute", "for": "ana"}
        view.show(size=(160, 120))
        asked(answers, ControlCommand.PICTURE)
        passes(clock, 0.1)
        assert asked(answers, ControlCommand.PICTURE).shown["width"] == 160
        order = asked(answers, ControlCommand.TAKE, "can").shown["order"]
        passes(clock, 0.1)
        view.show()
        passes(clock, 0.1)
        taught = asked(answers, ControlCommand.TAUGHT).shown
        assert (taught["counts"], taught["crop"]) == ({"can": 1}, "region")
        assert taught["outcomes"][-1]["order"] == order
        assert taught["folder"] == str(tmp_path / "s" / "ledger-taught")
        asked(answers, ControlCommand.DISCARD)
        passes(clock, 0.1)
        assert asked(answers, ControlCommand.TAUGHT).shown["counts"] == {}


def test_a_bundle_is_loaded_anew_for_who_stands_at_the_machine_alone(
    tmp_path: Path, bundle: Path, clock: VirtualClock
) -> None:
    plan = read_station(make_station(tmp_path / "s", bundle=bundle))
    with (
        bundles(plan) as found,
        StationAnswers(plan, seen=View(clock), state=state, bundles=found, clock=clock) as answers,
    ):
        far = ControlRequest(ControlCommand.RELOAD_BUNDLE, "ana", remote=True)
        assert "given at the machine" in answers.answer(far).error
        assert asked(answers, ControlCommand.RELOAD_BUNDLE).shown == {"order": 1}
        while not (facts := asked(answers, ControlCommand.BUNDLE).shown)["done"]:
            time.sleep(0.01)
        assert facts == {
            "done": 1, "refused": "", "bundle": "tiny 1", "bundle_digest": plan.bundle.digest,
        }  # fmt: skip


def test_a_key_of_the_station_file_switches_the_picture_off(
    tmp_path: Path, bundle: Path, clock: VirtualClock
) -> None:
    text = STATION + "web: {live_picture: false, taught_path: lessons}\n"
    plan = read_station(make_station(tmp_path / "s", text=text, bundle=bundle))
    view = View(clock)
    view.show()
    with StationAnswers(
        plan, seen=view, state=state, bundles=bundles(plan), clock=clock
    ) as answers:
        for _ in range(2):
            answer = asked(answers, ControlCommand.PICTURE)
            assert not answer.ok
            assert "live_picture: false" in answer.error
            passes(clock, 0.1)
        assert view.asked == 0
        folder = asked(answers, ControlCommand.TAUGHT).shown["folder"]
        assert folder == str(tmp_path / "s" / "lessons")


@pytest.mark.usefixtures("ledger_within")
def test_what_is_shown_is_what_the_sorting_thread_saw_last(new_run: NewRun) -> None:
    run = new_run()
    plan = read_station(run.file)
    with (
        Station(
            plan, endings=run.endings, openers=Openers(pins=lambda: run.pins), clock=VirtualClock()
        ) as station,
        station.loop.seen.wanted(),
    ):
        station.run()
        seen = station.loop.seen.newest()
    assert seen is not None
    assert (seen.frame.source, len(seen.observations)) == ("2.png", 1)


def test_an_answer_with_a_picture_comes_through(
    tmp_path: Path, bundle: Path, clock: VirtualClock
) -> None:
    from edge.control.messages import LONGEST_ANSWER, read_answer
    from edge.teaching.live_picture import LARGEST_JPEG

    shown = {"jpeg": base64.b64encode(bytes(LARGEST_JPEG)).decode(), "boxes": [[1, 2, 3, 4]] * 100}
    line = ControlAnswer(True, shown=shown).line()
    assert len(line) < LONGEST_ANSWER
    assert read_answer(line).shown == shown
