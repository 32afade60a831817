"""Decoded pictures: the same bytes from the same file on every machine.

OpenCV decodes; this module decides what may be decoded. It reads just enough of the container to
know the format, whether the file is whole, and how it is turned, because OpenCV's own answers to
these three differ between its versions (WebP's EXIF orientation is applied by 5 but not by 4.11,
GIF is read by 5 only, a truncated JPEG may come back half grey with no error).
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.errors import UnreadableImageError

Image = npt.NDArray[np.uint8]
"""A picture in memory: uint8, (height, width, 3) in BGR order as cameras and OpenCV deliver it."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""File endings that are taken for pictures."""

CONVERTIBLE_SUFFIXES = frozenset({".heic", ".heif", ".avif", ".gif", ".tif", ".tiff"})
"""Pictures too, but not of a format that decodes alike everywhere: reported, not read."""

_BACKGROUND = 255
"""Level behind transparent pixels: product pictures are cut out to stand on white."""


def read_image(path: Path) -> Image:
    """The picture in the file `path`, upright, uint8 (height, width, 3) BGR.

    Raises:
        UnreadableImageError: not there, empty, truncated, of another format, or not decodable.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(
            f"{path}: cannot be read ({error.strerror or error}): check its name and permissions"
        ) from error
    return decode_image(content, name=str(path))


def decode_image(content: bytes, *, name: str = "picture") -> Image:
    """The picture in an encoded file's `content`, upright, uint8 (height, width, 3) BGR.

    Transparent pixels are laid on white (but a transparent level of a grey PNG stays as it is);
    grey, palette, CMYK and 16-bit files become 8-bit BGR; an animation gives its first picture.

    Args:
        name: what the picture is called in an error.

    Raises:
        UnreadableImageError: empty, truncated, of another format, or not decodable.
    """
    kind = _format(content, name)
    if not _is_whole(content, kind):
        raise UnreadableImageError(
            f"{name}: the {kind} file is cut short ({len(content):,} bytes): copy it again"
        )
    if kind == "PNG" and not _checksums_fit(content):
        raise UnreadableImageError(f"{name}: bytes of this PNG file were changed: copy it again")
    has_alpha = kind in ("PNG", "WebP")
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image = _imdecode(content, flags, name, kind)
    if has_alpha:
        whole = _imdecode(content, cv2.IMREAD_UNCHANGED, name, kind)
        if whole.ndim == 3 and whole.shape[2] == 4:
            image = _on_background(image, whole[:, :, 3])
    return _turned(image, _orientation(content, kind))


def _imdecode(content: bytes, flags: int, name: str, kind: str) -> npt.NDArray[Any]:
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        raise UnreadableImageError(
            f"{name}: this {kind} file cannot be decoded ({error.err or error}): save it again"
        ) from error
    if image is None:
        raise UnreadableImageError(
            f"{name}: this {kind} file is damaged: open it in a viewer and save it again"
        )
    return image


def _on_background(image: Image, alpha: npt.NDArray[Any]) -> Image:
    # Integer arithmetic, so that every machine rounds alike.
    weight = (alpha >> 8 if alpha.dtype == np.uint16 else alpha).astype(np.uint32)[:, :, None]
    mixed = image * weight + _BACKGROUND * (255 - weight)
    return ((mixed + 127) // 255).astype(np.uint8)


def _format(content: bytes, name: str) -> str:
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
            f"{name}: HEIC and AVIF pictures are not read: convert them to JPEG first, for example "
            "with `heif-convert picture.heic picture.jpg`, or set the phone's camera to "
            '"most compatible"'
        )
    if content[:64].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise UnreadableImageError(
            f"{name}: this is a web page and no picture: download the picture again"
        )
    if content.startswith(b"version https://git-lfs.github.com/"):
        raise UnreadableImageError(
            f"{name}: it only says where Git LFS has the picture: fetch it with `git lfs pull`"
        )
    other = {b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF"}.get(content[:4])
    raise UnreadableImageError(
        f"{name}: {f'{other} is not read' if other else 'this is no picture of a known format'}: "
        "use JPEG, PNG, WebP or BMP"
    )


def _is_whole(content: bytes, kind: str) -> bool:
    if kind == "JPEG":
        # An embedded thumbnail has its own end marker, so look behind the first scan only;
        # inside a scan 0xFF is always followed by a stuffed 0 or a restart marker.
        scan = next((start for marker, start, _ in _jpeg_segments(content) if marker == 0xDA), None)
        return scan is not None and content.find(b"\xff\xd9", scan) >= 0
    if kind == "PNG":
        return any(chunk == b"IEND" for chunk, _, _ in _png_chunks(content))
    if kind == "WebP":
        return len(content) >= int.from_bytes(content[4:8], "little") + 8
    return len(content) >= _bmp_size(content)


def _checksums_fit(content: bytes) -> bool:
    # Only the chunks that the pixels need; libpng, too, reads on behind a damaged comment.
    view = memoryview(content)
    return all(
        zlib.crc32(view[start - 4 : end]) == int.from_bytes(content[end : end + 4], "big")
        for kind, start, end in _png_chunks(content)
        if kind[:1].isupper()
    )


def _bmp_size(content: bytes) -> int:
    """Bytes that an uncompressed BMP of this header has; what its header says of any other."""
    if len(content) < 34:
        return 54
    size, start, header, width, height, _, bits, compression = struct.unpack_from(
        "<I4xIIiiHHI", content, 2
    )
    if header < 40 or compression not in (0, 3):
        return int(size)
    row = (abs(int(width)) * int(bits) + 31) // 32 * 4
    return int(start) + row * abs(int(height))


def _jpeg_segments(content: bytes) -> list[tuple[int, int, int]]:
    """(marker, start, end) of every segment up to and including the first scan's header."""
    segments = []
    at = 2
    while at >= 0 and at + 4 <= len(content):
        marker = content[at + 1]
        if content[at] != 0xFF or marker in (0, 0xFF):  # stray and fill bytes
            at = content.find(b"\xff", at + 1)
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        segments.append((marker, at + 4, end))
        if marker == 0xDA:
            break
        at = end
    return segments


def _png_chunks(content: bytes) -> list[tuple[bytes, int, int]]:
    """(type, start, end) of every whole chunk."""
    chunks = []
    at = 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        chunks.append((content[at + 4 : at + 8], at + 8, end))
        at = end + 4
    return chunks


def _webp_chunks(content: bytes) -> list[tuple[bytes, int, int]]:
    """(type, start, end) of every whole chunk."""
    chunks = []
    at = 12
    while at + 8 <= len(content):
        end = at + 8 + struct.unpack_from("<I", content, at + 4)[0]
        if end > len(content):
            break
        chunks.append((content[at : at + 4], at + 8, end))
        at = end + end % 2
    return chunks


def _orientation(content: bytes, kind: str) -> int:
    """EXIF tag 0x0112, 1 to 8; 1 (upright) where there is none."""
    exif = b""
    if kind == "JPEG":
        for marker, start, end in _jpeg_segments(content):
            if marker == 0xE1 and content[start : start + 6] == b"Exif\0\0":
                exif = content[start + 6 : end]
                break
    elif kind == "PNG":
        exif = next((content[s:e] for chunk, s, e in _png_chunks(content) if chunk == b"eXIf"), b"")
    elif kind == "WebP":
        exif = next(
            (content[s:e] for chunk, s, e in _webp_chunks(content) if chunk == b"EXIF"), b""
        ).removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == 0x0112:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:  # a damaged EXIF block says nothing about the picture itself
        return 1
    return 1


def _turned(image: Image, orientation: int) -> Image:
    # Exif 2.32, tag Orientation: 2-4 mirror or half turn; 5-8 swap the axes as well.
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
