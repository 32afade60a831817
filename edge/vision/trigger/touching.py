"""Whether the outline of one object is that of two things that touch each other. Pure."""

from __future__ import annotations

import cv2
import numpy as np

from edge.vision.trigger.blobs import Mask

_NECK = 0.55
"""Two things are joined by a neck that is at most so wide, as a share of the width of the narrower
one. A bottle's own neck is no thing as wide as half of its body, so that it does not count."""
_NARROWER = 0.5
"""The narrower of two things is at least so wide, as a share of the width of the wider one; what is
narrower is taken for a part, such as a handle or the heel of a shoe."""
_CUTS = (0.12, 0.25, 0.4, _NECK)
"""How far from its rim the shape is cut away, as shares of its largest distance from the rim."""


def is_twofold(shape: Mask) -> bool:
    """Whether a shape consists of two things with a neck between them.

    Each pixel's distance from the rim is largest in the middle of a thing, and small in a neck. The
    shape falls apart where it is cut away up to the width of its neck. Boxes that lie flush against
    each other have no neck: such a pair is not told from one larger box.

    Args:
        shape: uint8 (height, width), not 0 where the object is, with an empty rim. Holes, as glass
            has them, are filled first.
    """
    rims, _ = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(shape, np.uint8), rims, -1, 1, cv2.FILLED)
    depth = cv2.distanceTransform(filled, cv2.DIST_L2, 3)
    deepest = float(depth.max(initial=0.0))
    for cut in _CUTS:
        count, parts = cv2.connectedComponents((depth > cut * deepest).astype(np.uint8))
        if count < 3:  # of which one is what is around
            continue
        depths = sorted(float(depth[parts == part].max()) for part in range(1, count))
        if depths[-2] >= _NARROWER * deepest and cut * deepest <= _NECK * depths[-2]:
            return True
    return False
