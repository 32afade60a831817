"""Messages that say when a camera's pictures begin to have a fault, and when it is over. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edge.flow import PictureFault, PictureFaultKind

WELL_SECONDS = 3.0
"""A fault is over when no picture has had it for so long."""

_AT_ONCE = (PictureFaultKind.DAMAGED, PictureFaultKind.TORN, PictureFaultKind.RESIZED)
"""The kinds that a single picture proves. A single blank picture may be a flash, or the start of
the camera."""

_ADVICE = {
    PictureFaultKind.FROZEN: "Items are rejected until its picture changes: switch the camera off "
    "and on, and check its cable and supply",
    PictureFaultKind.BLANK: "Items are rejected until its picture shows something: check the lens "
    "cap, the light and the cable",
    PictureFaultKind.TORN: "These pictures are left out: check its cable, supply and network",
    PictureFaultKind.RESIZED: "These pictures are left out: set the camera to the size before, or, "
    "if the new size is right, restart the station and check its region",
    PictureFaultKind.DAMAGED: "Check its cable, supply and network",
}


@dataclass(slots=True)
class _Spell:
    """A fault that lasts: when it was last seen, in how many pictures, and if it was reported."""

    last: float
    pictures: int = 0
    told: bool = False


class FaultReports:
    """Reports once that a fault has begun and once that it is over, for any number of pictures."""

    def __init__(self, name: str) -> None:
        """Starts without any fault.

        Args:
            name: the camera's name for the operator.
        """
        self._name = name
        self._spells: dict[PictureFaultKind, _Spell] = {}

    def forget(self) -> None:
        """Forgets all faults, because the camera is lost; its loss is reported elsewhere."""
        self._spells.clear()

    def see(self, fault: PictureFault | None, at: float) -> Iterator[str]:
        """The messages that the next picture gives rise to; for most pictures there are none.

        Args:
            fault: the picture's fault; None if it has none.
            at: when the picture was taken, in seconds on any monotonic clock.
        """
        for kind, spell in list(self._spells.items()):
            if at - spell.last >= WELL_SECONDS and (fault is None or fault.kind is not kind):
                del self._spells[kind]
                if spell.told:
                    yield (
                        f"{self._name}: no {kind} picture for {WELL_SECONDS:g} s; "
                        f"{spell.pictures:,} were left out before"
                    )
        if fault is None or fault.kind.harmless:
            return
        spell = self._spells.setdefault(fault.kind, _Spell(at))
        spell.last, spell.pictures = at, spell.pictures + 1
        if not spell.told and (fault.lasting or fault.kind in _AT_ONCE):
            spell.told = True
            yield f"{self._name} {fault.words}. {_ADVICE[fault.kind]}"
