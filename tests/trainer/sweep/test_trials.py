"""Several processes share the trials of a sweep: none is lost or counted twice, whoever dies."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna import Study, Trial, TrialPruned
from optuna.trial import TrialState

from edge.core.errors import StorageError
from tests.edge.publish.postgres.server import PASSWORD, Postgres
from tests.trainer.sweep.workers import HELD
from trainer.sweep.storage import opened_storage
from trainer.sweep.trials import (
    ATTEMPT,
    ATTEMPTS,
    EARLY,
    INSTEAD_OF,
    PROBLEM,
    ImpossibleTrialError,
    SignsOfLife,
    StopSweep,
    run_trials,
)

TOTAL = 20
AT_ONCE = SignsOfLife(every=10, dead_after=-1, look_every=0)
"""A process takes every other one for dead."""
LOOKS_OFTEN = SignsOfLife(every=10, dead_after=600, look_every=0.01)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    with opened_storage(str(tmp_path / "journal")) as storage:
        yield optuna.create_study(study_name="drawn", storage=storage)


def square(trial: Trial) -> float:
    return float(trial.suggest_float("x", -1, 1) ** 2)


def ended(study: Study) -> Counter[str]:
    return Counter(trial.state.name for trial in study.get_trials(deepcopy=False))


def kill_one_of_three(place: str, folder: Path) -> None:
    """Three processes begin a sweep; the one that holds a trial is killed."""
    words = [sys.executable, "-m", "tests.trainer.sweep.workers", place, str(TOTAL), "3"]
    with subprocess.Popen(
        words,
        env=os.environ | {"PILAH_TEST_FOLDER": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        victim = int(running.stdout.readline())
        while not (folder / HELD).exists():
            assert running.poll() is None
            threading.Event().wait(0.02)
        os.kill(victim, signal.SIGKILL)
        _, said = running.communicate()
    assert running.returncode in (0, -signal.SIGKILL), said


def check_that_all_are_there_once(study: Study, folder: Path) -> None:
    trials = study.get_trials(deepcopy=False)
    held = int((folder / HELD).read_text())
    assert trials[held].state is TrialState.FAIL
    whole = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    assert len(whole) == TOTAL
    assert not any(trial.state is TrialState.RUNNING for trial in trials)
    lines = (folder / "ended.txt").read_text(encoding="utf-8").split()
    assert {trial.number for trial in whole} <= set(map(int, lines))
    assert len(set(lines)) == len(lines)
    # The values that the killed one had are tried by another one, once.
    again = [trial for trial in whole if trial.params == trials[held].params]
    # More than the second time where a disk kept that one's signs of life back, too.
    assert len(again) == 1
    assert again[0].user_attrs[ATTEMPT] >= 2
    assert again[0].user_attrs["process"] != trials[held].user_attrs["process"]


def test_one_of_three_processes_is_killed_and_the_journal_has_every_trial_once(
    tmp_path: Path,
) -> None:
    kill_one_of_three(str(tmp_path / "journal"), tmp_path)
    with opened_storage(str(tmp_path / "journal")) as storage:
        study = optuna.load_study(study_name="drawn", storage=storage)
        check_that_all_are_there_once(study, tmp_path)
        before = ended(study)
        run_trials(study, TOTAL, lambda trial: pytest.fail("one more was run"))
        run_trials(study, TOTAL + 2, square)
        assert ended(study) == before + Counter(COMPLETE=2)


@pytest.mark.slow
def test_one_of_three_processes_is_killed_and_the_database_has_every_trial_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with Postgres() as server:
        place = f"postgresql://pilah@127.0.0.1:{server.port}/pilah"
        kill_one_of_three(place, tmp_path)
        with opened_storage(place) as storage:
            study = optuna.load_study(study_name="drawn", storage=storage)
            check_that_all_are_there_once(study, tmp_path)
        server.stop()
        with pytest.raises(StorageError, match="cannot be used"), opened_storage(place):
            pytest.fail("a server that is down was opened")


def test_trials_end_whole_or_early_or_impossible_and_each_counts(study: Study) -> None:
    def objective(trial: Trial) -> float:
        if trial.number == 1:
            raise TrialPruned
        if trial.number == 2:
            raise ImpossibleTrialError("ema and average_from are two ways")
        return square(trial)

    run_trials(study, 4, objective)
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "PRUNED", "PRUNED", "COMPLETE"]
    assert [trial.user_attrs.get(PROBLEM) for trial in study.trials][2] == (
        "ema and average_from are two ways"
    )
    assert [trial.user_attrs.get(EARLY) for trial in study.trials][1:3] == [True, None]


@pytest.mark.parametrize(
    ("error", "attempt"),
    [
        (StopSweep(), 1),
        (KeyboardInterrupt(), 1),
        (StorageError("the disk is full"), 1),
        (ZeroDivisionError(), 2),
    ],
)
def test_what_is_stopped_is_given_back_with_its_values(
    study: Study, error: BaseException, attempt: int
) -> None:
    def stopped(trial: Trial) -> float:
        square(trial)
        trial.set_user_attr("own", True)
        trial.set_user_attr(EARLY, True)
        raise error

    with pytest.raises(type(error)):
        run_trials(study, 1, stopped)
    given_back, waiting = study.trials
    assert (given_back.state, waiting.state) == (TrialState.FAIL, TrialState.WAITING)
    assert waiting.user_attrs == {"own": True, ATTEMPT: attempt, INSTEAD_OF: 0}
    run_trials(study, 1, square)
    assert study.trials[1].params == given_back.params
    assert ended(study) == Counter(FAIL=1, COMPLETE=1)


def test_values_whose_processes_die_each_time_are_left_after_a_few(study: Study) -> None:
    def dies(trial: Trial) -> float:
        square(trial)
        raise MemoryError

    for _ in range(ATTEMPTS):
        with pytest.raises(MemoryError):
            run_trials(study, 1, dies)
    run_trials(study, 1, lambda trial: pytest.fail("it was tried once more"))
    assert ended(study) == Counter(FAIL=ATTEMPTS - 1, PRUNED=1)
    assert len({trial.params["x"] for trial in study.trials}) == 1


def test_a_process_that_was_taken_for_dead_and_lives_counts_nothing(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    """Its machine was asleep, say: the other one has ended all trials meanwhile."""

    def slow(trial: Trial) -> float:
        found = square(trial)
        if trial.number == 0:
            run_trials(study, 2, square, signs=AT_ONCE)
        return found

    run_trials(study, 2, slow)
    assert ended(study) == Counter(FAIL=1, COMPLETE=2)
    assert "trial 0: another process has taken this one for dead" in caplog.text


def test_of_several_that_see_the_last_place_free_one_has_it(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its look at the trials and its question for one, another process has begun one."""
    ask: Callable[[], Trial] = study.ask
    others: list[Trial] = []

    def asked_late() -> Trial:
        if not others:
            others.append(ask())
        return ask()

    def stop_waiting() -> None:
        if ended(study)["FAIL"]:
            study.tell(others[0], 0.5)

    monkeypatch.setattr(study, "ask", asked_late)
    run_trials(study, 1, lambda trial: pytest.fail("two were run"), check_stop=stop_waiting)
    assert ended(study) == Counter(FAIL=1, COMPLETE=1)


def test_values_that_are_given_back_have_their_place_before_they_are_in_line(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process looks between the end of the trial and the return of its values."""
    enqueue: Callable[..., None] = study.enqueue_trial
    looks = threading.Semaphore(0)

    def enqueue_late(*values: object, **attributes: object) -> None:
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(
                run_trials, study, 1, square, signs=LOOKS_OFTEN, check_stop=looks.release
            )
            for _ in range(3):
                assert looks.acquire(timeout=60)
            enqueue(*values, **attributes)
            other.result()

    def stopped(trial: Trial) -> float:
        square(trial)
        raise StopSweep

    monkeypatch.setattr(study, "enqueue_trial", enqueue_late)
    with pytest.raises(StopSweep):
        run_trials(study, 1, stopped)
    given_back, again = study.trials
    assert again.state is TrialState.COMPLETE
    assert again.params == given_back.params


def test_a_place_is_free_again_where_a_process_died_while_it_gave_values_back(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(study, "enqueue_trial", died)
        with pytest.raises(MemoryError):
            run_trials(study, 1, lambda trial: square(trial) / 0)
    run_trials(study, 1, square, signs=replace(LOOKS_OFTEN, dead_after=0.1))
    assert ended(study) == Counter(FAIL=1, COMPLETE=1)


def test_what_an_earlier_version_gave_back_is_not_waited_for(study: Study) -> None:
    """It wrote no number; that the values are tried again tells it as well."""
    old = study.ask()
    x = old.suggest_float("x", -1, 1)
    study.tell(old, state=TrialState.FAIL)
    study.enqueue_trial({"x": x})
    run_trials(study, 1, square)
    assert ended(study) == Counter(FAIL=1, COMPLETE=1)
    looks = itertools.count()

    def look() -> None:
        assert next(looks) < 3, "it waits"

    run_trials(study, 2, square, signs=LOOKS_OFTEN, check_stop=look)
    assert ended(study) == Counter(FAIL=1, COMPLETE=2)
