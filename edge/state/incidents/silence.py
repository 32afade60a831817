"""A camera that hangs: it should give pictures all the time, and gives none. Pure.

Its own reading has a longer limit, after which it is opened again, and may not return at all. What
is noticed here ends as soon as a picture comes, and costs no opening.
"""

from __future__ import annotations

from collections import deque

from edge.flow import CameraChange, Exposure
from edge.runtime.heartbeat import BEAT_SECONDS

SILENT_SECONDS = 1.5
"""A camera that gives no picture for so long is lost."""
SILENT_FRAMES = 3
"""A slow one is lost only after so many times the time from picture to picture."""
_RECENT = 8
"""So many times from picture to picture are remembered; the longest one counts."""
_LONGEST_LOOK = BEAT_SECONDS + 0.1
"""Of the time since the look before, so much counts at most. Who looks does so every BEAT_SECONDS;
if that took longer, this machine was busy or halted, and the camera's thread was held up with it.
"""
_ROUNDING = 1e-6
"""Sums of seconds are no more exact than that, and who looks at `next_at` must find it silent."""


class CameraSilence:
    """Notices that a camera is silent, before it says so itself, and puts the two together.

    The camera's thread calls `frame` and `changed`, another one `look`; the caller sees to it that
    they do so one after the other.

    Attributes:
        since: when the last picture came before the loss that was told last.
    """

    def __init__(self, name: str, seconds_per_frame: float | None) -> None:
        """Waits for the first picture.

        Args:
            name: the camera's name for the operator.
            seconds_per_frame: the time from one picture to the next; None: the pictures tell it.
        """
        self._name, self._seconds_per_frame = name, seconds_per_frame
        self._intervals: deque[float] = deque(maxlen=_RECENT)
        self._came: float | None = None
        """When the last picture came, or the camera was opened again; None: none is expected."""
        self._looked = self._silent = self.since = 0.0
        self._noticed: float | None = None
        """When its silence was noticed; None: it is not silent."""

    @property
    def seconds(self) -> float | None:
        """For how long it may be silent; None: that is not known yet."""
        known = [] if self._seconds_per_frame is None else [self._seconds_per_frame]
        longest = max([*known, *self._intervals], default=None)
        return None if longest is None else max(SILENT_SECONDS, SILENT_FRAMES * longest)

    def next_at(self, now: float) -> float | None:
        """When `look` is to be called at the latest; None: it is not waited for."""
        seconds = self.seconds
        if self._came is None or self._noticed is not None or seconds is None:
            return None
        return now + max(0.0, seconds - self._silent - (now - self._looked))

    def frame(self, at: float) -> CameraChange | None:
        """A picture comes at the time `at`, damaged or not; tells that a silence is over."""
        noticed, self._noticed = self._noticed, None
        if self._came is not None and noticed is None:
            self._intervals.append(at - self._came)
        self._begin(at)
        return None if noticed is None else CameraChange(self._name, at - self.since)

    def changed(self, change: CameraChange, at: float) -> CameraChange | None:
        """What is to be told of what the camera tells itself; None: it is known already."""
        if change.lost_seconds is None:
            came, self._came = self._came, None
            if self._noticed is not None:
                return None
            self.since = at if came is None else came
            return change
        self._noticed = None
        self._begin(at)
        return change._replace(lost_seconds=at - self.since)

    def look(self, now: float) -> CameraChange | None:
        """Tells, once, that the camera is silent at the time `now`."""
        seconds = self.seconds
        if self._came is None or self._noticed is not None or seconds is None:
            return None
        self._silent += min(max(0.0, now - self._looked), _LONGEST_LOOK)
        self._looked = max(now, self._looked)
        if self._silent < seconds - _ROUNDING:
            return None
        self._noticed, self.since = now, self._came
        return CameraChange(self._name, None)

    def _begin(self, at: float) -> None:
        self._came = self._looked = at
        self._silent = 0.0


def slowest(seconds_per_frame: float | None, locked: Exposure | None) -> float | None:
    """The time from picture to picture of a camera that is to give one every `seconds_per_frame`
    and exposes each for as long as the station file fixes; None: it is not known."""
    exposed = None if locked is None or locked.microseconds is None else locked.microseconds / 1e6
    return max((one for one in (seconds_per_frame, exposed) if one is not None), default=None)
