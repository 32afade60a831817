"""The orientation of a picture: the tag Orientation of its EXIF block, else of its XMP packet.

It is read in the same way as by Pillow, which most training tools use: the first EXIF block counts,
its entry is read with its own type, and XMP is used only if EXIF has no such entry.
"""

from __future__ import annotations

import re
import struct
import zlib

import numpy as np
import numpy.typing as npt

from edge.core.images.container import jpeg_segments, png_chunks, webp_chunks

_TAG = 0x0112
_TYPES = {3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I"}
"""The `struct` letters of integer types by their number (TIFF 6.0, section 2; 13 is IFD)."""
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_XMP_LONGEST = 1 << 20
"""The number of bytes of an XMP packet that are searched."""


def orientation(content: bytes, kind: str) -> int:
    """The Exif orientation of the picture, 1 to 8; 1 (upright) if the file gives none."""
    exif, xmp = _blocks(content, kind)
    found = _of_exif(exif)
    if found is None:
        match = _XMP.search(xmp, 0, _XMP_LONGEST)
        found = int(match[1]) if match else 1
    return found if 1 <= found <= 8 else 1


def turned(image: npt.NDArray[np.uint8], number: int) -> npt.NDArray[np.uint8]:
    """The picture (height, width, 3) turned upright (Exif 2.32, tag Orientation).

    2 to 4 mirror it or turn it by half; 5 to 8 swap the axes as well.
    """
    if number >= 5:
        image = image.transpose(1, 0, 2)
    if number in (2, 3, 6, 7):
        image = image[:, ::-1]
    if number in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _blocks(content: bytes, kind: str) -> tuple[bytes, bytes]:
    """The EXIF block, as a TIFF file, and the XMP packet; each is empty if the file has none."""
    if kind == "JPEG":
        extra = [content[p.start : p.end] for p in jpeg_segments(content) if p.kind == b"\xe1"]
        marks = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
    elif kind == "PNG":
        extra = [p.kind + content[p.start : p.end] for p in png_chunks(content) if p.kind in _PNG]
        marks = b"eXIf", b"iTXtXML:com.adobe.xmp\0"
    elif kind == "WebP":
        extra = [p.kind + content[p.start : p.end] for p in webp_chunks(content) if p.kind in _WEBP]
        marks = b"EXIF", b"XMP "
    else:
        return b"", b""
    exif, xmp = (
        next((part.removeprefix(mark) for part in extra if part.startswith(mark)), b"")
        for mark in marks
    )
    if kind == "PNG" and xmp[:1] == b"\1":
        xmp = _inflated(xmp)
    return exif.removeprefix(b"Exif\0\0"), xmp


_PNG = frozenset({b"eXIf", b"iTXt"})
_WEBP = frozenset({b"EXIF", b"XMP "})


def _inflated(text: bytes) -> bytes:
    # PNG 1.2, iTXt: flag, method, language and translated keyword, each ended by a zero, then text.
    packed = text[2:].split(b"\0", 2)[-1]
    try:
        return zlib.decompressobj().decompress(packed, _XMP_LONGEST)
    except zlib.error:
        return b""


def _of_exif(exif: bytes) -> int | None:
    """The value of the entry; None if the first directory has no such entry of an integer type."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    found = None
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", exif, entry)
            if tag != _TAG or kind not in _TYPES or values == 0:
                continue
            size = struct.calcsize(_TYPES[kind])
            place = entry + 8
            if size * values > 4:  # too large for the entry, which holds their offset instead
                (place,) = struct.unpack_from(f"{order}I", exif, place)
            found = int(struct.unpack_from(f"{order}{_TYPES[kind]}", exif, place)[0])
    except struct.error:  # the block is cut short
        return found
    return found
