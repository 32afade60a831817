"""What somebody may ask of a lane that is moved by hand, and why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edge.core.errors import ControlRefusedError
from edge.lanes.schedule import LONGEST_BY_HAND, Timing

SHORTEST = 0.01
"""The fewest seconds: a thread may wake up later than after less."""


def seconds_by_hand(timings: Mapping[str, Timing], lane: str, seconds: float | None) -> float:
    """For how many seconds a lane is to be active.

    Args:
        timings: those of the lanes that move.
        seconds: what is asked for; None: the hold time.

    Raises:
        ControlRefusedError: the lane does not move, or not for so long.
    """
    timing = timings.get(lane)
    if timing is None:
        raise ControlRefusedError(
            f"there is no lane {lane!r} with an actuator. Lanes with one: "
            f"{', '.join(timings) or 'none'}"
        )
    wanted = timing.hold_seconds if seconds is None else seconds
    longest = timing.max_on_seconds or LONGEST_BY_HAND
    if not SHORTEST <= wanted <= longest:
        limit = "max_on_seconds" if timing.max_on_seconds else "the limit of moves by hand"
        raise ControlRefusedError(
            f"the lane {lane} may be active for {SHORTEST:g} to {longest:g} seconds ({limit}), and "
            f"not for {wanted:g}"
        )
    return wanted


def not_now() -> ControlRefusedError:
    """The state has changed meanwhile."""
    return ControlRefusedError("no lane is moved by hand now: the state has changed")


def hangs() -> ControlRefusedError:
    """The thread of the lanes does not answer."""
    return ControlRefusedError(
        "the thread that moves the lanes does not answer: `pilah-edge status` says whether it hangs"
    )


def looks_for_home(lane: str, motors: Iterable[str]) -> ControlRefusedError:
    """The position of a motor is not known, and is looked for because somebody asked."""
    return ControlRefusedError(
        f"the lane {lane} does not move yet: where its motor stands is not known. The motors of "
        f"{', '.join(motors)} look for their home switches now. Ask again once they stand"
    )


def cools(lane: str) -> ControlRefusedError:
    """The coil has been on for too long."""
    return ControlRefusedError(
        f"the lane {lane} does not move yet: its coil has to cool. Ask again later, or for a "
        "shorter time"
    )
