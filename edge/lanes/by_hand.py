"""What somebody may ask of a lane that is moved by hand, and why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edge.core.errors import ControlRefusedError
from edge.core.terminal.sentence import Sentence
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
            Sentence(
                "there is no lane {name} with an actuator. Lanes with one: {lane}",
                name=repr(lane), lane=", ".join(timings) or "-",
            )
        )  # fmt: skip
    wanted = timing.hold_seconds if seconds is None else seconds
    longest = timing.max_on_seconds or LONGEST_BY_HAND
    if not SHORTEST <= wanted <= longest:
        limit = "max_on_seconds" if timing.max_on_seconds else "the limit of moves by hand"
        raise ControlRefusedError(
            Sentence(
                "the lane {lane} may be active for {least} to {most} seconds ({limit}), and not "
                "for {wanted}",
                lane=lane, least=format(SHORTEST, "g"), most=format(longest, "g"), limit=limit,
                wanted=format(wanted, "g"),
            )
        )  # fmt: skip
    return wanted


def not_now() -> ControlRefusedError:
    """The state has changed meanwhile."""
    return ControlRefusedError(Sentence("no lane is moved by hand now: the state has changed"))


def hangs() -> ControlRefusedError:
    """The thread of the lanes does not answer."""
    return ControlRefusedError(
        Sentence(
            "the thread that moves the lanes does not answer: `pilah-edge status` says whether it "
            "hangs"
        )
    )


def looks_for_home(lane: str, motors: Iterable[str]) -> ControlRefusedError:
    """The position of a motor is not known, and is looked for because somebody asked."""
    return ControlRefusedError(
        Sentence(
            "the lane {name} does not move yet: where its motor stands is not known. The motors of "
            "{lane} look for their home switches now. Ask again once they stand",
            name=lane, lane=", ".join(motors),
        )
    )  # fmt: skip


def cools(lane: str) -> ControlRefusedError:
    """The coil has been on for too long."""
    return ControlRefusedError(
        Sentence(
            "the lane {lane} does not move yet: its coil has to cool. Ask again later, or for a "
            "shorter time",
            lane=lane,
        )
    )
