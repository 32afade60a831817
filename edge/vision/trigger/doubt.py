"""Whether what is seen at the picture's edge may be a part of another object there. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from edge.vision.trigger.track import Track


class Doubt(NamedTuple):
    """The doubt whether an object is one of its own.

    Of a large object, parts come into view one by one, and it falls apart as it leaves. What comes
    in beside another object, over the same edge, may be a part of it until one of the two is seen
    whole; what is first seen where another one leaves may have come off it.
    """

    whole: Track
    """The object of which it may be a part."""
    sides: tuple[int, ...]
    """The sides of the picture, as in `Track.cut`, over which both reach."""

    @classmethod
    def about(cls, track: Track, others: Iterable[Track]) -> Doubt | None:
        """The doubt about an object that has just come into view; None: there is none.

        Args:
            others: the objects in view of which there is no doubt.
        """
        for other in others:
            sides = tuple(side for side in range(4) if track.cut[side] and other.cut[side])
            if sides and not other.silent:
                return cls(other, sides).still(track, (other,))
        return None

    def still(self, track: Track, others: Container[Track]) -> Doubt | None:
        """What is left of the doubt, now that the objects in view are `others`."""
        whole = self.whole
        there = whole in others

        def both_reach(side: int) -> bool:
            if not track.cut[side]:
                return False
            if whole.leaves_over(side):
                return True  # also once it has left
            comes = not whole.travels or whole.comes_over(side)
            return there and whole.cut[side] and comes

        sides = tuple(side for side in self.sides if both_reach(side))
        return self._replace(sides=sides) if sides else None
