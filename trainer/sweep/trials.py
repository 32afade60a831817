"""The trials of a sweep, shared by several processes: each is run once, also where one dies.

A process takes a trial, shows that it is alive while it runs it, and tells the result. A trial
whose process shows nothing any more is given back, with its values, to whoever is free. No clocks
are compared: each process goes by how long it has itself seen no sign of life.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from optuna import Study, Trial, TrialPruned
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from edge.core.errors import PilahError
from edge.core.terminal.wording import number_of

_log = logging.getLogger(__name__)

DONE = (TrialState.COMPLETE, TrialState.PRUNED)
"""The states of trials that count: those of a trial that was given back is FAIL."""
ATTEMPTS = 3
"""How often a trial is begun whose process dies; then its values are taken for the reason."""
ATTEMPT, ALIVE, EARLY, PROBLEM = "attempt", "alive", "early", "problem"
INSTEAD_OF = "instead_of"
"""Attributes of a trial: how often it was begun, a number that changes while it runs, whether it
was ended early, why it is impossible, and the number of the trial whose values it has again."""


@dataclass(frozen=True, slots=True)
class SignsOfLife:
    """How often a process shows that it runs a trial, and when it is taken for dead."""

    every: float = 20.0
    """Seconds."""
    dead_after: float = 150.0
    """Seconds without a sign, more than a machine that swaps or a slow network takes."""
    look_every: float = 1.0
    """Seconds between two looks at what the others do, where nothing else is left to do."""


class ImpossibleTrialError(ValueError):
    """These values cannot be trained with, for the reason in the message."""


class StopSweep(Exception):  # noqa: N818 - a wish, not an error
    """The user wants to stop the sweep on this machine."""


def run_trials(
    study: Study,
    total: int,
    objective: Callable[[Trial], float],
    *,
    signs: SignsOfLife | None = None,
    check_stop: Callable[[], None] = lambda: None,
) -> None:
    """Runs trials, beside other processes that do so, until `total` are done by all of them.

    Where the others are at work on the last ones, it waits, and takes over what one of them leaves.

    Args:
        study: the trials, in a storage that the processes share.
        total: how many trials are to end with a score, or with nothing but a reason. With those
            that are done already.
        objective: runs a trial. It raises TrialPruned to end it early, and ImpossibleTrialError
            where its values do not go together. Whatever else it raises is raised again, and the
            trial is given back.
        signs: by which processes know of one another.
        check_stop: raises where the user wants to stop.
    """
    shared = _SharedTrials(study, total, signs or SignsOfLife(), check_stop)
    while (trial := shared.take()) is not None:
        try:
            with shared.holding(trial):
                shared.finish(trial, objective)
        except UpdateFinishedTrialError:
            _log.warning(
                f"trial {trial.number}: another process has taken this one for dead and the trial "
                "over, so what it came to here is not used"
            )


class _SharedTrials:
    """The trials of a study, as this process sees them."""

    def __init__(
        self, study: Study, total: int, signs: SignsOfLife, check_stop: Callable[[], None]
    ) -> None:
        self._study, self._total, self._signs = study, total, signs
        self._check_stop = check_stop
        self._seen: dict[int, tuple[Any, float]] = {}
        """By the number of a running trial its last sign of life, and when it was first seen."""
        self._given_back: dict[int, float] = {}
        """By the number of a trial that was given back, when it was first seen to be."""

    def take(self) -> Trial | None:
        """A trial to run; None when all are done."""
        waiting = False
        while True:
            self._check_stop()
            self._give_back_of_the_dead()
            trials = self._study.get_trials(deepcopy=False)
            done = sum(trial.state in DONE for trial in trials)
            running = sum(trial.state is TrialState.RUNNING for trial in trials)
            if done >= self._total:
                return None
            if done + running + self._about_to_wait(trials) < self._total:
                trial = self._study.ask()
                # Numbers are given once, so of several processes that see a last place free, all
                # agree which one has it.
                before = sum(
                    each.number < trial.number for each in self._trials(TrialState.RUNNING, *DONE)
                )
                if before < self._total:
                    return trial
                self._study.tell(trial, state=TrialState.FAIL)
                continue
            if not waiting:
                _log.info(
                    f"waiting for {number_of(running, 'trials')} that other processes run"
                    if running
                    else "waiting for the values of a trial that another process is giving back"
                )
                waiting = True
            threading.Event().wait(self._signs.look_every)

    @contextmanager
    def holding(self, trial: Trial) -> Iterator[None]:
        """Shows that this process is alive, and gives the trial back if it does not end here."""
        ended = threading.Event()
        thread = threading.Thread(target=self._show_life, args=(trial, ended), name="signs-of-life")
        thread.start()
        try:
            yield
        except UpdateFinishedTrialError:
            raise
        except BaseException as error:
            # Whoever stops it, or fills the disk, says nothing of these values.
            blameless = isinstance(error, PilahError | StopSweep | KeyboardInterrupt)
            self._give_back(trial.number, died=not blameless)
            raise
        finally:
            ended.set()
            thread.join()

    def finish(self, trial: Trial, objective: Callable[[Trial], float]) -> None:
        """Runs the trial and tells what it came to.

        Raises:
            UpdateFinishedTrialError: another process has given it back meanwhile.
            Whatever `objective` raises.
        """
        value, state = None, TrialState.PRUNED
        try:
            value, state = objective(trial), TrialState.COMPLETE
        except TrialPruned:
            trial.set_user_attr(EARLY, True)
            _log.info(f"trial {trial.number}: ended early, others were better by then")
        except ImpossibleTrialError as error:
            trial.set_user_attr(PROBLEM, str(error))
            _log.warning(f"trial {trial.number}: {error}")
        told = self._study.tell(trial, value, state, skip_if_finished=True)
        if told.state is TrialState.FAIL:
            raise UpdateFinishedTrialError

    def _show_life(self, trial: Trial, ended: threading.Event) -> None:
        for sign in itertools.count(1):
            try:
                trial.set_user_attr(ALIVE, sign)
            except UpdateFinishedTrialError:
                return  # the trial finds out by itself
            except (OSError, SQLAlchemyError, StorageInternalError) as error:
                _log.debug(f"trial {trial.number}: no sign of life could be given: {error}")
            if ended.wait(self._signs.every):
                return

    def _give_back_of_the_dead(self) -> None:
        now = time.monotonic()
        running = self._trials(TrialState.RUNNING)
        self._seen = {trial.number: self._last_sign(trial, now) for trial in running}
        for number, (_, since) in list(self._seen.items()):
            if now - since > self._signs.dead_after and self._give_back(number, died=True):
                _log.warning(
                    f"trial {number}: its process has given no sign of life for "
                    f"{now - since:.0f} s, and the trial is given back"
                )

    def _about_to_wait(self, trials: list[FrozenTrial]) -> int:
        """How many places belong to values that are given back at this moment.

        Giving back takes two steps: the trial ends, and its values are put in line. Whoever looks
        between them would see a free place, fill it with values of its own, and those that were
        given back would never be tried. A process that dies between them is waited for no longer
        than one that dies in a trial.
        """
        now = time.monotonic()
        again = {trial.user_attrs.get(INSTEAD_OF) for trial in trials}
        # Earlier versions wrote no number: there the same values tell it.
        tried = [_values(trial) for trial in trials if trial.state is not TrialState.FAIL]
        self._given_back = {
            trial.number: self._given_back.get(trial.number, now)
            for trial in trials
            if trial.state is TrialState.FAIL
            and trial.params
            and trial.number not in again
            and trial.params not in tried
        }
        return sum(now - since < self._signs.dead_after for since in self._given_back.values())

    def _last_sign(self, trial: FrozenTrial, now: float) -> tuple[Any, float]:
        sign, known = trial.user_attrs.get(ALIVE), self._seen.get(trial.number)
        return known if known is not None and known[0] == sign else (sign, now)

    def _give_back(self, number: int, *, died: bool) -> bool:
        """Gives a trial back; False if another process did so, or the trial ended after all."""
        trial = self._study.get_trials(deepcopy=False)[number]
        attempt = int(trial.user_attrs.get(ATTEMPT, 1)) + died
        blamed = attempt > ATTEMPTS
        try:
            self._study.tell(number, state=TrialState.PRUNED if blamed else TrialState.FAIL)
        except (UpdateFinishedTrialError, ValueError):  # ValueError: it was seen to have ended
            return False
        if not blamed:
            told = _kept(trial) | {ATTEMPT: attempt, INSTEAD_OF: number}
            self._study.enqueue_trial(trial.params, user_attrs=told)
        return True

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states)


def _kept(trial: FrozenTrial) -> dict[str, Any]:
    """What a trial that is given back hands on to the one that takes its place."""
    own = (ALIVE, EARLY, PROBLEM, INSTEAD_OF)
    return {key: value for key, value in trial.user_attrs.items() if key not in own}


def _values(trial: FrozenTrial) -> dict[str, Any]:
    """The values of a trial, also of one that waits and has them only to be given."""
    return trial.params or trial.system_attrs.get("fixed_params", {})
