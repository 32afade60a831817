"""How well a frame shows an item, which decides whether it votes. Pure."""

from __future__ import annotations

from typing import NamedTuple

from edge.core.verdict import Framing
from edge.flow import Frame, Observation

_MIDDLE = 0.15
"""The largest distance from the middle of the region, as a share of its width or height, at which
an item counts as in the middle; about the range of the shifts in a training's augmentation."""

_RESTING_SECONDS = 0.5
"""An item that does not travel for so long is not expected to reach the middle."""


class Framed(NamedTuple):
    """How well a frame shows an item; more is better."""

    framing: Framing
    shown: float = 1.0
    """How much of an item that is not well framed the frame shows, and how near to the middle."""


def framed_by(
    observation: Observation, frame: Frame, *, whole_region: bool, in_view_seconds: float
) -> Framed:
    """How well `frame` shows the item of an observation.

    Of an item that the region cuts off in every frame, because it is larger, and of one that lies
    at the belt's rim, some frames show more than others: `shown` is the share of the region that
    the visible part covers, less for a part that is farther from the middle.

    Args:
        whole_region: whether the model looks at the whole region, and so expects the item in its
            middle.
        in_view_seconds: how long the item has been in view.
    """
    box, whole = observation.box, observation.whole
    if box is None:
        return Framed(Framing.GOOD if whole else Framing.CUT)
    rests = observation.passed is None and in_view_seconds >= _RESTING_SECONDS
    if whole and (rests or not whole_region):
        return Framed(Framing.GOOD)
    height, width = frame.image.shape[:2]
    aside = abs(box.left + box.width / 2 - width / 2) / width
    above = abs(box.top + box.height / 2 - height / 2) / height
    away = max(aside, above)
    if whole and away <= _MIDDLE:
        return Framed(Framing.GOOD)
    covered = box.width * box.height / (width * height)
    return Framed(Framing.ASIDE if whole else Framing.CUT, covered * (1 - away))
