"""A running station loads the bundle that its file names now, and sorts by it."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from edge.config.reading import StationPlan, with_present_bundle
from edge.core.closing import Closing
from edge.core.errors import PilahError
from edge.core.images.preprocess import InputSpec
from edge.core.model.trial import check_bundle_harmless
from edge.runtime.clock import SYSTEM_CLOCK, Clock, ClockedThread, Flag
from edge.sorting.model import ActiveModel

_log = logging.getLogger(__name__)

_NICE = 10
_END_SECONDS = 1.0
_QUIET_SECONDS = 5.0
"""How long it is waited for that nothing is in view and nothing moves: the runtime lets no other
thread of the process work while it loads a model, which delayed a pin by up to 70 ms."""
_LOOK_SECONDS = 0.02


class BundleReload(Closing):
    """Loads the bundle of a running station anew where somebody asks for it.

    A thread of its own, which is there only while it has something to do, reads, checks, loads and
    tries the bundle: who asks for a stop does not wait for it, nor does sorting, but for some
    hundredths of a second, for which a moment without an item is looked for. A bundle that is
    refused changes nothing.

    Attributes:
        plan: the station with the bundle that it was given last.
    """

    def __init__(
        self,
        plan: StationPlan,
        *,
        open_model: Callable[[StationPlan], ActiveModel],
        change: Callable[[ActiveModel], None],
        judging: Callable[[], AbstractContextManager[None]],
        quiet: Callable[[], bool] = lambda: True,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Runs no thread yet.

        Args:
            plan: the station with the bundle that it begins with.
            open_model: loads, checks and warms up the model of a plan.
            change: has the station classify by a model from now on; any thread may call it.
            judging: a context in which a bundle is judged: what is raised there is an incident.
            quiet: whether no item is in view and nothing moves; must not wait.
            clock: that of the station.
        """
        self.plan = plan
        self._open_model, self._change, self._judging = open_model, change, judging
        self._quiet, self._clock, self._ended = quiet, clock, Flag(clock)
        self._alone = threading.Lock()
        self._thread: threading.Thread | None = None
        self._orders = self._done = 0
        self._refused = ""

    @property
    def spec(self) -> InputSpec:
        """Which part of a picture that bundle's model uses; takes no lock."""
        return self.plan.bundle.manifest.input

    def ask(self, who: str) -> dict[str, Any]:
        """Orders the bundle to be loaded that the station file names now; does not wait.

        Args:
            who: asks for it, for the log.

        Returns:
            `order`: once `done` in `facts` is no less, the station sorts by it, or has refused it.
        """
        _log.info(f"bundle     {self.plan.config.bundle} is loaded anew, by {who}")
        with self._alone:
            self._orders += 1
            if self._thread is None and not self._ended.is_set():
                self._thread = ClockedThread("bundle", self._run, self._clock)
                self._thread.start()
            return {"order": self._orders}

    def facts(self) -> dict[str, Any]:
        """What came of the last order; does not wait.

        Returns:
            `done`: the number of that order, 0 if there was none; `refused`: why its bundle was
            refused, empty if it was not; `bundle` and `bundle_digest`: what is sorted by.
        """
        with self._alone:
            bundle = self.plan.bundle
            return {
                "done": self._done, "refused": self._refused,
                "bundle": bundle.title, "bundle_digest": bundle.digest,
            }  # fmt: skip

    def close(self) -> None:
        """Loads no bundle any more; may be called twice."""
        with self._alone:
            self._ended.set()
            thread = self._thread
        if thread is not None:
            thread.join(_END_SECONDS)

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # not allowed: it is as important as the others then
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while (order := self._next()) is not None:
            plan, refused = self._loaded()
            with self._alone:
                self.plan, self._done, self._refused = plan, order, refused

    def _next(self) -> int | None:
        """The newest order; None: each is done.

        One reading of the bundle serves all orders that came before it.
        """
        with self._alone:
            if self._ended.is_set() or self._done == self._orders:
                self._thread = None
                return None
            return self._orders

    def _loaded(self) -> tuple[StationPlan, str]:
        """The station with its bundle of now, or with that of before and why it keeps it."""
        try:
            with self._judging():
                plan = with_present_bundle(self.plan)
                if plan.bundle.digest != self.plan.bundle.digest:
                    check_bundle_harmless(plan.bundle)
                    self._wait_for_quiet()
                    model = self._open_model(plan)
                    if self._ended.is_set():
                        return self.plan, "the station ends"
                    self._change(model)
            return plan, ""
        except PilahError as error:
            return self.plan, str(error)
        except Exception as error:  # whatever it is, the station sorts on, and the next is heard
            _log.exception("warning    a bundle could not be loaded")
            return self.plan, f"{type(error).__name__}: {error}"

    def _wait_for_quiet(self) -> None:
        until = self._clock.now() + _QUIET_SECONDS
        while not self._quiet() and (now := self._clock.now()) < until:
            if self._ended.wait(now + _LOOK_SECONDS):
                return
