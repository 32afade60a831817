"""When a camera's pictures begin to be faulty, and when that is over, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edge.flow import PictureFault, PictureFaultKind

WELL_SECONDS = 3.0
"""A fault is over when no picture has had it for so long."""

_AT_ONCE = (PictureFaultKind.DAMAGED, PictureFaultKind.TORN, PictureFaultKind.RESIZED)
"""Each such picture is a fault of the camera; a single blank one may be a flash, or its start."""

_ADVICE = {
    PictureFaultKind.FROZEN: "Items are rejected until it moves on: switch it off and on, and look "
    "at its cable and supply",
    PictureFaultKind.BLANK: "Items are rejected until something is to be seen: look at its cap, "
    "its light and its cable",
    PictureFaultKind.TORN: "These are left out: look at its cable, supply and network",
    PictureFaultKind.RESIZED: "These are left out: set it as it was, or, if it is to stay so, "
    "start the station again and look at its region",
    PictureFaultKind.DAMAGED: "Look at its cable, supply and network",
}


@dataclass(slots=True)
class _Spell:
    last: float
    pictures: int = 0
    told: bool = False


class FaultReports:
    """Says once that a fault has begun, and once that it is over, however many pictures have it."""

    def __init__(self, name: str) -> None:
        """All is well.

        Args:
            name: what the operator calls the camera.
        """
        self._name = name
        self._spells: dict[PictureFaultKind, _Spell] = {}

    def forget(self) -> None:
        """The camera is lost, which is said otherwise."""
        self._spells.clear()

    def see(self, fault: PictureFault | None, at: float) -> Iterator[str]:
        """What there is to say of the next picture: nothing, mostly.

        Args:
            fault: what is wrong with it; None: nothing.
            at: when it was taken, in seconds on any monotonic clock.
        """
        for kind, spell in list(self._spells.items()):
            if at - spell.last >= WELL_SECONDS and (fault is None or fault.kind is not kind):
                del self._spells[kind]
                if spell.told:
                    yield (
                        f"{self._name}: no {kind} picture for {WELL_SECONDS:g} s now, after "
                        f"{spell.pictures:,} that were left out"
                    )
        if fault is None or fault.kind.harmless:
            return
        spell = self._spells.setdefault(fault.kind, _Spell(at))
        spell.last, spell.pictures = at, spell.pictures + 1
        if not spell.told and (fault.lasting or fault.kind in _AT_ONCE):
            spell.told = True
            yield f"{self._name} {fault.words}. {_ADVICE[fault.kind]}"
