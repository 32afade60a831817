"""What a running station answers at its socket: its state, bundle, log and inputs, and what it
shows and learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from edge.config.reading import StationPlan
from edge.config.serving.pages import WebSettings, taught_folder
from edge.control.messages import ControlAnswer, ControlCommand, ControlRequest
from edge.core.closing import Closing
from edge.core.dataset.photo_folder import Geometry
from edge.rollout.reloading import BundleReload
from edge.runtime.clock import SYSTEM_CLOCK, Clock
from edge.state.keeper import refused_from_afar
from edge.teaching.inputs import inputs_of, shown_inputs
from edge.teaching.labelled_pictures import LabelledPictures
from edge.teaching.live_picture import LivePicture
from edge.vision.seen_frames import SeenFrames


class StationAnswers(Closing):
    """Answers requests to a running station; a context manager."""

    def __init__(
        self,
        plan: StationPlan,
        *,
        seen: SeenFrames,
        state: Callable[[ControlRequest], ControlAnswer],
        bundles: BundleReload,
        log: Callable[[], Mapping[str, Any]] = dict,
        active: Callable[[], Mapping[int, bool]] = dict,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """Runs no thread until somebody looks or teaches.

        Args:
            seen: what the sorting thread looked at.
            state: answers what is asked about the state.
            bundles: loads the station's bundle anew.
            log: gives the newest lines of the log, as `NewestLog.shown` does.
            active: tells how the pins stand that are read, as `OpenedPins.active` does.
        """
        config = plan.config
        self._state, self._bundles, self._log = state, bundles, log
        self._active, self._inputs = active, inputs_of(config)
        web = config.web or WebSettings()
        self._parts = ExitStack()
        self._live: LivePicture | None = None
        if web.live_picture:
            self._live = LivePicture(seen, region=config.region, clock=clock)
            self._parts.callback(self._live.close)
        has_box = config.trigger.has_box
        self._taught = LabelledPictures(
            seen, region=config.region, station=config.station, clock=clock,
            geometry=lambda: Geometry.of(bundles.spec) if has_box else Geometry(crop="region"),
            folder=taught_folder(config.web, config.ledger.path),
        )  # fmt: skip
        self._parts.callback(self._taught.close)

    def close(self) -> None:
        """Ends the threads; may be called twice."""
        self._parts.close()

    def answer(self, request: ControlRequest) -> ControlAnswer:
        """What the station answers; does not wait."""
        match request.command:
            case ControlCommand.PICTURE:
                if self._live is None:
                    return ControlAnswer(
                        False, error="the station shows no picture: `web: {live_picture: false}`"
                    )
                return ControlAnswer(True, shown=self._live.newest())
            case ControlCommand.TAKE:
                return ControlAnswer(True, shown=self._taught.take(request.label, request.who))
            case ControlCommand.DISCARD:
                return ControlAnswer(True, shown=self._taught.discard(request.who))
            case ControlCommand.RELOAD_BUNDLE:
                if request.remote:
                    return refused_from_afar(request.command)
                return ControlAnswer(True, shown=self._bundles.ask(request.who))
            case ControlCommand.BUNDLE:
                return ControlAnswer(True, shown=self._bundles.facts())
            case ControlCommand.LOG:
                return ControlAnswer(True, shown=self._log())
            case ControlCommand.INPUTS:
                return ControlAnswer(True, shown=shown_inputs(self._inputs, self._active()))
            case ControlCommand.TAUGHT:
                return ControlAnswer(True, shown=self._taught.facts(request.who))
        return self._state(request)
