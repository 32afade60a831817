"""How sharp an item is in a frame, to choose among the frames of one item."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box


def sharpness(image: Image, box: Box | None) -> float:
    """How sharp an item is in a picture: the mean square of the Laplacian of its green levels.

    To be compared between pictures of the same item.

    Args:
        image: uint8 (height, width, 3) BGR.
        box: where the item is in it; None: it is the whole picture.
    """
    if box is not None:
        image = image[box.top : box.top + box.height, box.left : box.left + box.width]
    edges = cv2.Laplacian(np.ascontiguousarray(image[:, :, 1]), cv2.CV_16S)
    return float(cv2.norm(edges, cv2.NORM_L2SQR)) / max(1, edges.size)
