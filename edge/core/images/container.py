"""The segments and chunks of a picture file, found without decoding any pixels.

The files may come from untrusted sources: each function accepts any bytes, and its running time
grows with their number, whatever lengths and counts the file claims.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from edge.core.errors import UnreadableImageError

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers of a frame header, which holds the size (ITU-T T.81, table B.1)."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers that are not followed by a length."""


class ImageSegment(NamedTuple):
    """A segment of a JPEG file or a chunk of another one: its name and the range of its content."""

    kind: bytes
    start: int
    end: int


def picture_format(content: bytes, name: str) -> str:
    """The format of a picture file by its first bytes: `JPEG`, `PNG`, `WebP` or `BMP`.

    Raises:
        UnreadableImageError: the file has none of these formats.
    """
    if not content:
        raise UnreadableImageError(f"{name}: the file has no bytes: copy it again")
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if content.startswith(b"BM"):
        return "BMP"
    if content[4:8] == b"ftyp":
        raise UnreadableImageError(
            f"{name}: HEIC and AVIF are not supported: convert the picture to JPEG first, for "
            "example with `heif-convert picture.heic picture.jpg`, or set the phone's camera to "
            '"most compatible"'
        )
    if content[:64].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise UnreadableImageError(
            f"{name}: this is a web page, not a picture: download the picture again"
        )
    if content.startswith(b"version https://git-lfs.github.com/"):
        raise UnreadableImageError(
            f"{name}: it is a pointer to a picture in Git LFS: fetch the picture with "
            "`git lfs pull`"
        )
    other = {b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF"}.get(content[:4])
    problem = f"{other} is not supported" if other else "this is not a picture in a known format"
    raise UnreadableImageError(f"{name}: {problem}: use JPEG, PNG, WebP or BMP")


def pixel_size(content: bytes, kind: str) -> tuple[int, int]:
    """The largest (width, height) in pixels that the file claims; (0, 0) if it claims none."""
    if kind == "JPEG":
        sizes = [_jpeg_frame_size(content, part) for part in jpeg_segments(content)]
    elif kind == "PNG":
        # libpng refuses a file whose first chunk is not IHDR.
        known = content[12:16] == b"IHDR" and len(content) >= 24
        sizes = [struct.unpack_from(">II", content, 16)] if known else []
    elif kind == "WebP":
        sizes = [_webp_chunk_size(content, part) for part in webp_chunks(content)]
    elif int.from_bytes(content[14:18], "little") == 12:  # OS/2
        sizes = [struct.unpack_from("<HH", content, 18)] if len(content) >= 22 else []
    else:
        sizes = [struct.unpack_from("<ii", content, 18)] if len(content) >= 26 else []
    width = max((abs(width) for width, _ in sizes), default=0)
    return width, max((abs(height) for _, height in sizes), default=0)


def _jpeg_frame_size(content: bytes, part: ImageSegment) -> tuple[int, int]:
    if part.kind[0] not in _FRAMES or part.start + 5 > len(content):
        return 0, 0
    height, width = struct.unpack_from(">HH", content, part.start + 1)
    return width, height


def _webp_chunk_size(content: bytes, part: ImageSegment) -> tuple[int, int]:
    body = content[part.start : min(part.end, part.start + 16)].ljust(16, b"\0")
    if part.kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if part.kind == b"ANMF":
        return 1 + int.from_bytes(body[6:9], "little"), 1 + int.from_bytes(body[9:12], "little")
    if part.kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if part.kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return 0, 0


def jpeg_segments(content: bytes) -> list[ImageSegment]:
    """Every segment up to and including the first scan's header; `kind` is the marker's byte.

    Like libjpeg, it skips stray bytes and fill bytes between two segments.
    """
    segments = []
    at = 2
    while at >= 0 and at + 4 <= len(content):
        marker = content[at + 1]
        if content[at] != 0xFF or marker in (0, 0xFF):
            at = content.find(b"\xff", at + 1)
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker in (0xD8, 0xD9):
            break
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        segments.append(ImageSegment(content[at + 1 : at + 2], at + 4, end))
        if marker == 0xDA:
            break
        at = end
    return segments


def png_chunks(content: bytes) -> list[ImageSegment]:
    """Every complete chunk up to and including the last, IEND."""
    chunks = []
    at = 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        chunks.append(ImageSegment(content[at + 4 : at + 8], at + 8, end))
        if chunks[-1].kind == b"IEND":
            break
        at = end + 4
    return chunks


def webp_chunks(content: bytes) -> list[ImageSegment]:
    """Every complete chunk, including those of the first frame of an animation."""
    chunks: list[ImageSegment] = []
    _add_webp_chunks(content, 12, len(content), chunks)
    frame = next((part for part in chunks if part.kind == b"ANMF"), None)
    if frame is not None:
        _add_webp_chunks(content, frame.start + 16, frame.end, chunks)
    return chunks


def _add_webp_chunks(content: bytes, at: int, stop: int, chunks: list[ImageSegment]) -> None:
    while at + 8 <= stop:
        end = at + 8 + int.from_bytes(content[at + 4 : at + 8], "little")
        if end > stop:
            break
        chunks.append(ImageSegment(content[at : at + 4], at + 8, end))
        at = end + end % 2


def bmp_bytes(content: bytes) -> int:
    """The size in bytes of a BMP file: computed if it is uncompressed, else as its header says."""
    if len(content) < 34:
        return 54
    size, start, header, width, height, _, bits, compression = struct.unpack_from(
        "<I4xIIiiHHI", content, 2
    )
    if header < 40 or compression not in (0, 3):
        return int(size)
    return int(start) + bmp_row_bytes(int(width), int(bits)) * abs(int(height))


def bmp_row_bytes(width: int, bits: int) -> int:
    """The number of bytes of a row in an uncompressed BMP, which is a multiple of four."""
    return (abs(width) * bits + 31) // 32 * 4


def bmp_masks(content: bytes) -> tuple[int, int, int, int, int] | None:
    """(bits, masks of red, green, blue, alpha) of a BMP file; None if it has no masks.

    A header of 40 bytes is followed by three masks; longer headers hold these and that of alpha.
    """
    if len(content) < 70:
        return None
    header, bits, compression = struct.unpack_from("<I10xHI", content, 14)
    if header < 40 or compression not in (3, 6):
        return None
    red, green, blue, alpha = struct.unpack_from("<IIII", content, 54)
    return bits, red, green, blue, alpha if header >= 56 or compression == 6 else 0


def png_pixel_bits(content: bytes) -> int:
    """The bits of a pixel by the header of a PNG file; 0 if the header is missing."""
    if len(content) < 26:
        return 0
    return content[24] * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(content[25], 0)
