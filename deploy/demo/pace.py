"""How fast the belt may run on this machine: it is measured, and slowed where it must be.

A real belt does not wait for its computer. This one is only there to show that everything works, so
that on a slow or busy machine it runs in slow motion: what the station sees of each item, and how
it is judged, stay the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from deploy.demo.stations import BeltPlan

_log = logging.getLogger(__name__)

SLOWEST = 16.0
"""Times slower than full speed, at most: then 160 items take a quarter of an hour."""
MOST_DROPPED = 0.05
"""Share of the frames that may be lost. An item is seen in nine frames, and three are enough."""
AGAIN = 3
"""Passages of the belt at most, each half as fast as the last."""
_ROOM = 1.5
"""A frame's time over what handling one takes on average: a third of it is left for what else there
is to do."""
_STALL = 1.5
"""Times as long as a frame's time the longest stall may be. A flap stands out for two frames' time
before and after its item is in front of it."""
_WARM_UP = 10
"""Frames at the beginning that are not counted."""
_WAITED = 0.1
"""Share of the frames, the longest, that are not counted either. A rehearsal's belt waits until its
next item is drawn, one in fourteen frames; a belt that runs lays that item on a little later."""


def slowness(seconds: Sequence[float], *, frames_per_second: float) -> float:
    """How many times slower than at full speed the belt must run, 1 or more.

    Args:
        seconds: what each of the frames of a rehearsal took, in order.
        frames_per_second: at full speed.
    """
    counted = _counted(seconds)
    if not counted:
        return 1.0
    needed = max(_ROOM * sum(counted) / len(counted), counted[-1] / _STALL)
    return min(SLOWEST, max(1.0, needed * frames_per_second))


def _counted(seconds: Sequence[float]) -> list[float]:
    """What is counted of a rehearsal, the shortest first."""
    rest = sorted(seconds[_WARM_UP:])
    return rest[: len(rest) - round(_WAITED * len(rest))]


def suited(plan: BeltPlan, seconds: Sequence[float]) -> BeltPlan:
    """The belt at a pace that this machine keeps up with, by what a rehearsal took."""
    factor = slowness(seconds, frames_per_second=plan.frames_per_second)
    counted = _counted(seconds)
    rate = len(counted) / sum(counted) if counted else 0.0
    said = f"pace: this machine handles {rate:.0f} frames a second, full speed brings "
    said += f"{plan.frames_per_second:.0f}"
    if factor == 1:
        _log.info(f"{said}: the belt runs at full speed")
        return plan
    slowed = plan.slowed(factor)
    _log.info(
        f"{said}: the belt runs {factor:.1f} times slower, {slowed.frames_per_second:.1f} a second"
    )
    return slowed


def is_too_fast(dropped: int, frames: int) -> bool:
    """Whether a passage lost so many of its frames that items may be lost with them."""
    return dropped > MOST_DROPPED * max(1, frames)
