"""Detection of damage inside a picture file whose container looks complete.

For a JPEG with a missing piece, OpenCV returns a picture that is half garbage, writes a line
without the file's name to stderr, and raises no error; for a WebP file it does not even write a
line. So each format is checked before OpenCV decodes it: JPEG by the warnings of its decoder, PNG
by its checksums and the end of its stream, WebP by whether the decoder needs all of the bytes, BMP
by its size.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg

from edge.core.images.container import (
    ImageSegment,
    bmp_bytes,
    bmp_row_bytes,
    jpeg_segments,
    png_chunks,
    png_pixel_bits,
    webp_chunks,
)

_CUT = "it is cut short"

_SCAN = b"\xda"
_OF_SCAN = frozenset((*range(0xC0, 0xD0), 0xDB, 0xDD))
"""JPEG markers of segments that scans need: frame, Huffman and quantisation tables, restarts."""
_EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x(..)")
_PADDING = {"end": 16, "restart": 2}
"""The number of stray bytes allowed before an end or restart marker of a JPEG. Webcams pad their
frames with a few; damage leaves hundreds, or none."""
_NOT_JUDGED = ("subsampling", "not implemented", "Unsupported color conversion")
"""Words of the decoder for valid JPEGs that it does not support; OpenCV may support them."""

_ZEROS = 32
"""A run of this many zero bytes occurs in a JPEG scan only if the code of zeros means "flat"."""
_ZEROS_OF_WEBP = 64
"""A run of this many zero bytes does not occur in an intact lossless WebP file, whose encoders
write a long run of one colour as one copy."""

_NEEDED = 8
"""Without its last 8 bytes no intact WebP stream can be decoded to its end: the coder reads four
bytes ahead at most (RFC 6386, section 7.3; measured on files of libwebp: 1 to 4)."""

_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""The lengths in bytes of the second header of a BMP file, as OS/2 and Windows write it."""
_BESIDE = 30
"""The number of bytes (10 pixels) that are examined beside a run of zeros in a BMP file."""
_LEVELS_OF_A_DRAWING = 16
"""A mask or a drawing has at most this many levels; its black areas may begin anywhere."""


def damage(content: bytes, kind: str) -> str | None:
    """A description of the damage, to be put in brackets; None if no damage was found.

    Args:
        content: the file, whose claimed size has been checked already.
        kind: the format, as `picture_format` returns it.
    """
    judges = {"JPEG": _of_jpeg, "PNG": _of_png, "WebP": _of_webp, "BMP": _of_bmp}
    return judges[kind](content)


def jpeg_scans(content: bytes) -> int:
    """The number of scans of a JPEG up to its first end marker; the decoding time grows with it."""
    scan = next((part.start for part in jpeg_segments(content) if part.kind == _SCAN), -1)
    if scan < 0:
        return 0
    end = content.find(b"\xff\xd9", scan)
    return 1 + content.count(b"\xff\xda", scan, end if end >= 0 else len(content))


def _of_jpeg(content: bytes) -> str | None:
    segments = jpeg_segments(content)
    scan = next((part for part in segments if part.kind == _SCAN), None)
    # An embedded thumbnail has its own end marker, so the search starts after the first scan;
    # inside a scan 0xFF is always followed by a stuffed 0 or a restart marker.
    if scan is None or (end := content.find(b"\xff\xd9", scan.start)) < 0:
        return _CUT
    if any(part.kind == b"\xdb" and _has_zero_step(content, part) for part in segments):
        return "its quantisation table has zeros"
    if any(part.kind == b"\xdd" for part in segments) and not _restarts_count(
        content[scan.start : end]
    ):
        return "its restart markers are not in order"
    if content.find(bytes(_ZEROS), scan.end, end) >= 0 and not _zeros_are_flat(content, segments):
        return "a piece of it is zeros"
    # The decoder gives its first warning only; one about colours or comments would hide the rest.
    needed = (content[p.start - 4 : p.end] for p in segments if p.kind[0] in _OF_SCAN)
    header = b"\xff\xd8" + b"".join(needed)
    try:
        # At an eighth of the size every coefficient is read, but few pixels are computed.
        simplejpeg.decode_jpeg(
            header + content[scan.start - 4 :],
            "GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1,
        )  # fmt: skip
    except (ValueError, RuntimeError) as error:
        said = str(error)
    else:
        return None
    if any(words in said for words in _NOT_JUDGED):
        return None
    stray = _EXTRANEOUS.search(said)
    if stray is not None:
        before = "end" if stray[2] == "d9" else "restart"
        if int(stray[1]) <= _PADDING[before]:
            return None
    return said


def _has_zero_step(content: bytes, part: ImageSegment) -> bool:
    """Whether an 8-bit quantisation table has a zero, which no encoder writes."""
    at = part.start
    while at < min(part.end, len(content)):
        wide = content[at] >> 4
        if not wide and 0 in content[at + 1 : min(at + 65, part.end)]:
            return True
        at += 129 if wide else 65
    return False


def _zeros_are_flat(content: bytes, segments: Sequence[ImageSegment]) -> bool:
    """Whether a long run of zeros in the scan can be the code of flat blocks.

    A code of zeros is the first symbol of a Huffman table. If that is symbol 0, "no difference, no
    more coefficients", a run of zeros is a flat area; a run of any other symbol is not a picture.
    """
    firsts = []
    for part in segments:
        at = part.start
        while part.kind == b"\xc4" and at + 17 < min(part.end, len(content)):
            firsts.append(content[at + 17])
            at += 17 + sum(content[at + 1 : at + 17])
    # Progressive scans have tables of their own, some behind the first scan.
    baseline = any(part.kind in (b"\xc0", b"\xc1") for part in segments)
    return not baseline or not any(firsts)


def _restarts_count(scans: bytes) -> bool:
    """Whether the restart markers of each scan count 0, 1 ... 7, 0, 1 ... as the standard says."""
    wanted = 0
    for marker in re.findall(rb"\xff([\xd0-\xd7\xda])", scans):
        if marker == _SCAN:
            wanted = 0
            continue
        if marker[0] != 0xD0 + wanted:
            return False
        wanted = (wanted + 1) % 8
    return True


def _of_png(content: bytes) -> str | None:
    chunks = png_chunks(content)
    if not chunks or chunks[-1].kind != b"IEND":
        return _CUT
    view = memoryview(content)
    for kind, start, end in chunks:
        # Only chunks that determine the pixels; libpng, too, ignores a damaged comment.
        if (kind[:1].isupper() or kind in (b"tRNS", b"eXIf")) and zlib.crc32(
            view[start - 4 : end]
        ) != int.from_bytes(content[end : end + 4], "big"):
            return "bytes of it were changed"
    if chunks[0].kind != b"IHDR" or chunks[0].end - chunks[0].start != 13:
        return "its header is not the first"
    wanted = _png_bytes(content)
    stream = zlib.decompressobj()
    try:
        for kind, start, end in chunks:
            if kind != b"IDAT":
                continue
            wanted -= _inflated(stream, view[start:end], wanted)
            if wanted <= 0:
                return None
    except zlib.error as error:
        return f"its pixels cannot be unpacked: {error}"
    return f"{wanted:,} bytes of its pixels are missing"


def _inflated(stream: zlib._Decompress, packed: memoryview, wanted: int) -> int:
    """The number of bytes that `packed` unpacks to; stops when `wanted` is reached."""
    found = 0
    for at in range(0, len(packed), 1 << 16):
        piece: bytes | memoryview = packed[at : at + (1 << 16)]
        while piece and found < wanted and not stream.eof:
            found += len(stream.decompress(piece, 1 << 20))
            piece = stream.unconsumed_tail
    return found


def _png_bytes(content: bytes) -> int:
    """The size in bytes of the unpacked rows, with one filter byte each (PNG 1.2, 2.3 and 2.6)."""
    width, height, interlaced = struct.unpack_from(">II4xB", content, 16)
    bits = png_pixel_bits(content)
    passes: Sequence[tuple[int, int, int, int]] = ((0, 0, 1, 1),)
    if interlaced:  # Adam7: (first column, first row, columns apart, rows apart)
        passes = (
            (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
            (0, 1, 1, 2),
        )  # fmt: skip
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _of_webp(content: bytes) -> str | None:
    if len(content) < int.from_bytes(content[4:8], "little") + 8:
        return _CUT
    chunks = webp_chunks(content)
    pixels = next((part for part in chunks if part.kind in (b"VP8 ", b"VP8L")), None)
    if pixels is None:
        return "it has no pixels"
    if (
        pixels.kind == b"VP8L"
        and content.find(bytes(_ZEROS_OF_WEBP), pixels.start, pixels.end) >= 0
    ):
        return "a piece of it is zeros"
    # WebP has no checksum. But the decoder of damaged data ends at another place than the encoder
    # did: too late, which it reports; or too early, and then it does not need the last bytes.
    alpha = next((part for part in chunks if part.kind == b"ALPH" and part < pixels), None)
    if pixels.end - pixels.start > 4 * _NEEDED and _decodes(_webp(content, pixels, short=_NEEDED)):
        return "its pixels end too early"
    if alpha is not None and alpha.end - alpha.start > 4 * _NEEDED:
        still = _webp(content, alpha, pixels, short=_NEEDED, header=chunks[0])
        if _decodes(still, cv2.IMREAD_UNCHANGED):
            return "its transparency ends too early"
    return None


def _webp(
    content: bytes,
    shortened: ImageSegment,
    *others: ImageSegment,
    short: int,
    header: ImageSegment | None = None,
) -> bytes:
    """A still WebP file made of these chunks, where `shortened` lacks its last `short` bytes."""
    parts = [shortened._replace(end=shortened.end - short), *others]
    if header is not None:
        parts.insert(0, header)
    body = b"WEBP"
    for part in parts:
        size = part.end - part.start
        body += part.kind + struct.pack("<I", size) + content[part.start : part.end]
        body += b"\0" * (size % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _decodes(content: bytes, flags: int = cv2.IMREAD_COLOR) -> bool:
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), flags) is not None
    except cv2.error:
        return False


def _of_bmp(content: bytes) -> str | None:
    if len(content) < bmp_bytes(content) or len(content) < 34:
        return _CUT
    start, header, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", content, 10)
    if header not in _BMP_HEADERS:
        return "its header has an unknown length"
    if header == 12 or bits not in (24, 32) or compression not in (0, 3) or not width:
        return None
    row = bmp_row_bytes(width, bits)
    rows = np.frombuffer(content, np.uint8, row * abs(height), start)
    pixels = rows.reshape(abs(height), row)[:, : abs(width) * bits // 8]
    return "a piece of it is zeros" if _has_zeroed_piece(pixels) else None


def _has_zeroed_piece(rows: npt.NDArray[np.uint8]) -> bool:
    """Whether a run of zeros, over 1 % of the bytes or more, looks like a lost block of a disk.

    A BMP file has no other sign of damage. A lost block begins and ends anywhere: in the middle of
    a row, beside and below bright pixels. A black background, bar or box of a picture begins at
    the start of a row, below other black pixels, or with a soft edge.

    Args:
        rows: uint8 (rows, bytes of a row), in the order of the file.
    """
    width = rows.shape[1]
    flat = np.ascontiguousarray(rows).reshape(-1)
    edges = np.flatnonzero(np.diff(flat == 0, prepend=False, append=False))
    for start, end in edges.reshape(-1, 2)[np.diff(edges)[::2] > max(width, flat.size // 100)]:
        begins = start % width and start > width and _is_bright(flat, start - width, start - width)
        begins = begins and _is_bright(flat, start - _BESIDE, start - width - _BESIDE)
        ends = end % width and end + width < flat.size and _is_bright(flat, end, end + width)
        ends = ends and _is_bright(flat, end + width - _BESIDE, end + width - _BESIDE)
        if (begins and (ends or end == flat.size)) or (ends and start == 0):
            return np.unique(flat[:: max(1, flat.size // 65536)]).size > _LEVELS_OF_A_DRAWING
    return False


def _is_bright(flat: npt.NDArray[np.uint8], *places: int) -> bool:
    """Whether the bytes from each of these places on have a median above 16."""
    return all(np.median(flat[max(0, at) : max(0, at) + _BESIDE]) > 16 for at in places)
