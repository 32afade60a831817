"""Files that claim to be pictures, as `edge.core.images.image_file` reads them."""

from __future__ import annotations

import cv2
import numpy as np

from edge.core.errors import UnreadableImageError
from edge.core.images.image_file import decode_image
from tests.edge.core.images.awkward import awkward_files, bmp, exif, jpeg_with_exif, png, slopes
from tests.fuzz.target import Target


def _feed(content: bytes) -> None:
    try:
        image = decode_image(content)
    except UnreadableImageError:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3


def _seeds() -> list[bytes]:
    small = slopes(11, 17)
    jpeg = cv2.imencode(".jpg", small)[1].tobytes()
    progressive = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    seeds = [jpeg, progressive, cv2.imencode(".webp", small)[1].tobytes()]
    seeds += [jpeg_with_exif(jpeg, exif(6)), jpeg_with_exif(jpeg, exif(3, order=">"))]
    seeds += [cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()]
    seeds += [png(small, colour=2), png(slopes(9, 9, 4), colour=6, before=((b"eXIf", exif(6)),))]
    seeds += [bmp(small), bmp(small, bits=32, top_down=True)]
    files = awkward_files()
    others = [files[name]() for name in files if name.endswith((".webp", "progressive.jpg"))]
    return seeds + [content for content in others if len(content) < TARGET.longest]


TARGET = Target(
    _feed,
    _seeds,
    words=(
        b"\xff\xd8\xff", b"\xff\xe1", b"Exif\0\0", b"II*\0", b"MM\0*", b"\x01\x12", b"\xff\xda",
        b"\xff\xd9", b"\xff\xc0", b"\xff\xc2", b"\xff\xdd", b"\x89PNG\r\n\x1a\n", b"IHDR", b"IDAT",
        b"IEND", b"PLTE", b"tRNS", b"eXIf", b"acTL", b"RIFF", b"WEBP", b"VP8 ", b"VP8L", b"VP8X",
        b"ALPH", b"ANMF", b"EXIF", b"BM", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff",
    ),
)  # fmt: skip
