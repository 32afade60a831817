"""Decoded pictures: the same bytes from the same file on every machine.

OpenCV decodes; this module decides what may be decoded. The format, the size, damage and the
orientation are found in the container first, because OpenCV's results differ between its versions
(5 applies WebP's EXIF orientation and 4.11 does not; only 5 reads GIF), or OpenCV gives no error
at all (a JPEG with a missing piece is returned half grey).
"""

from __future__ import annotations

import stat
import struct
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.errors import PictureTooLargeError, UnreadableImageError
from edge.core.images import container, damage, orientation

Image = npt.NDArray[np.uint8]
"""A picture in memory: uint8, (height, width, 3) in BGR order as cameras and OpenCV deliver it."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""The file endings of pictures that are read."""

CONVERTIBLE_SUFFIXES = frozenset({".heic", ".heif", ".avif", ".gif", ".tif", ".tiff"})
"""The file endings of formats that do not decode to the same bytes everywhere: reported only."""

MAX_PIXELS = 1 << 26
"""The most pixels that are decoded: 67 million, as JPEGs of the largest phone sensors have."""
MAX_FILE_BYTES = 1 << 28
"""The most bytes of a file that are read: 268 million."""
_MAX_DECODED_BYTES = 1 << 28
"""The most bytes for decoding a picture with transparency or 16 bits (up to 16 bytes a pixel)."""
_MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
"""The most pixels times scans of a JPEG. Progressive files have about ten scans; thousands are an
attack."""
_LARGE = 1 << 24
_one_large = threading.Lock()
"""Held while a picture of more than 17 million pixels is decoded, so that only one is at a time."""

_READ_MASKS = {
    16: ((0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)),
    32: ((0xFF0000, 0xFF00, 0xFF),),
}
"""The masks of red, green and blue in BMP files that OpenCV supports, by the bits of a pixel."""

_BACKGROUND = 255
"""The level behind transparent pixels: cut-out product pictures are meant for a white page."""
_ROWS = 256
"""The number of rows that are blended with the background at a time, to save memory."""

SOURCES = tuple(
    Path(file or "")
    for file in (container.__file__, damage.__file__, orientation.__file__, __file__)
)
"""The source files that determine the pixels; a cache made by another version of them is stale."""


def read_image(path: Path) -> Image:
    """The picture in the file `path`, upright, uint8 (height, width, 3) BGR.

    Raises:
        UnreadableImageError: the file is missing, not a regular file, empty, damaged, too large,
            in another format, or cannot be decoded.

    Example:
        >>> read_image(Path("photos/red/1.png")).shape
        (60, 80, 3)
    """
    try:
        content = read_content(path)
    except OSError as error:
        raise UnreadableImageError(
            f"{path}: cannot be read ({error.strerror or error}): check its name and permissions"
        ) from error
    return decode_image(content, name=str(path))


def read_content(path: Path, *, name: str | None = None) -> bytes:
    """The bytes of a picture file, not checked in any way but their number.

    Args:
        name: the name of the file in error messages; None means its path.

    Raises:
        OSError: the file cannot be opened or read.
        UnreadableImageError: it is a pipe or device, or larger than MAX_FILE_BYTES.
    """
    found = path.stat()
    name = str(path) if name is None else name
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise UnreadableImageError(f"{name}: this is not a regular file: give a picture file")
    if found.st_size > MAX_FILE_BYTES:
        raise PictureTooLargeError(
            f"{name}: the file has {found.st_size:,} bytes, and pictures may have up to "
            f"{MAX_FILE_BYTES:,}: make it smaller"
        )
    return path.read_bytes()


def decode_image(content: bytes, *, name: str = "picture") -> Image:
    """The picture in an encoded file's `content`, upright, uint8 (height, width, 3) BGR.

    Transparent pixels are blended with white (but a transparent level of a grey PNG stays as it
    is); grey, palette, CMYK and 16-bit files become 8-bit BGR; an animation gives its first frame.

    Args:
        name: the name of the picture in error messages.

    Raises:
        UnreadableImageError: the file is empty, damaged, in another format, cannot be decoded, or
            would be an empty picture on white.
        PictureTooLargeError: the file claims more pixels than are decoded.
    """
    kind = container.picture_format(content, name)
    width, height = container.pixel_size(content, kind)
    _check_size(content, kind, width, height, name)
    with _one_large if width * height > _LARGE else nullcontext():
        if kind == "BMP":
            _check_masks(content, name)
        why = damage.damage(content, kind)
        if why is not None:
            raise UnreadableImageError(
                f"{name}: this {kind} file is damaged ({why}): copy it again, or remove it"
            )
        image = _imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, name, kind)
        if _may_be_transparent(content, kind):
            image = _opaque(image, _imdecode(content, cv2.IMREAD_UNCHANGED, name, kind), name)
        if kind == "PNG" and content[24] == 16 and image.max() < 16:
            _check_depth(_imdecode(content, cv2.IMREAD_UNCHANGED, name, kind), name)
        return orientation.turned(image, orientation.orientation(content, kind))


def decode_frame(content: bytes) -> Image:
    """The picture of a camera's JPEG frame, not rotated: uint8 (height, width, 3) BGR.

    Some cameras leave out the end marker or the Huffman tables; that does not count as damage.

    Raises:
        UnreadableImageError: the frame is damaged, or is not a JPEG.
    """
    if not content.startswith(b"\xff\xd8"):
        raise UnreadableImageError("the frame is not a JPEG: it does not begin with FF D8")
    if content.rfind(b"\xff\xd9") < 0:
        content += b"\xff\xd9"
    _check_size(content, "JPEG", *container.pixel_size(content, "JPEG"), "the frame")
    why = damage.damage(content, "JPEG")
    if why is not None:
        raise UnreadableImageError(f"the frame is damaged ({why})")
    return _imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, "the frame", "JPEG")


def _check_size(content: bytes, kind: str, width: int, height: int, name: str) -> None:
    """Raises PictureTooLargeError if decoding would take over about a second or a gigabyte."""
    wide = 1
    if kind == "PNG":
        wide = container.png_pixel_bits(content) // 8
    elif kind == "WebP":
        wide = 4
    if kind == "WebP" or (kind == "PNG" and _may_be_transparent(content, kind)):
        wide *= 2  # decoded twice, with its transparency and without
    scanned = damage.jpeg_scans(content) * width * height if kind == "JPEG" else 0
    if width * height > MAX_PIXELS:
        why = f"claims {width:,} x {height:,} pixels. Up to {MAX_PIXELS:,} are decoded"
    elif width * height * wide > _MAX_DECODED_BYTES:
        why = (
            f"claims {width:,} x {height:,} pixels, which take {wide} bytes each to decode. Up to "
            f"{_MAX_DECODED_BYTES:,} bytes are decoded"
        )
    elif scanned > _MAX_SCANNED_PIXELS:
        why = (
            f"claims {width:,} x {height:,} pixels in {scanned // (width * height):,} scans, and a "
            "progressive JPEG has about ten"
        )
    elif len(content) > MAX_FILE_BYTES:
        why = f"has {len(content):,} bytes. Up to {MAX_FILE_BYTES:,} are read"
    else:
        return
    raise PictureTooLargeError(f"{name}: this {kind} file {why}: make it smaller")


def _may_be_transparent(content: bytes, kind: str) -> bool:
    if kind == "PNG":
        chunks = container.png_chunks(content)
        return content[25:26] in (b"\4", b"\6") or any(chunk.kind == b"tRNS" for chunk in chunks)
    return kind == "WebP"


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


def _opaque(image: Image, whole: npt.NDArray[Any], name: str) -> Image:
    """`image` blended with white by the alpha channel of `whole`; unchanged if there is none."""
    if whole.ndim != 3 or whole.shape[2] != 4:
        return image
    mixed = np.empty_like(image)
    for start in range(0, len(image), _ROWS):
        rows = slice(start, start + _ROWS)
        alpha = whole[rows, :, 3]
        # Integer arithmetic, so that every machine rounds alike.
        weight = (alpha >> 8 if alpha.dtype == np.uint16 else alpha).astype(np.uint32)[:, :, None]
        sums = image[rows] * weight + _BACKGROUND * (255 - weight)
        mixed[rows] = (sums + 127) // 255
    if mixed.min() == _BACKGROUND and whole[:, :, 3].min() == 0:
        raise UnreadableImageError(
            f"{name}: this picture would be all white, because its transparent pixels are shown on "
            "white and it has no others that differ: save it on another background, without "
            "transparency"
        )
    return mixed


def _check_depth(levels: npt.NDArray[Any], name: str) -> None:
    """Raises UnreadableImageError if 16-bit levels use only the lowest part of their range."""
    highest = int(levels[..., :3].max() if levels.ndim == 3 else levels.max())
    if highest:
        raise UnreadableImageError(
            f"{name}: this picture would be nearly black: white is 65,535 in a 16-bit file, and "
            f"its highest level is {highest:,}, perhaps because a camera's 10 or 12 bits were "
            "stored unchanged. Multiply the levels so that white is 65,535, or save it with 8 bits"
        )


def _check_masks(content: bytes, name: str) -> None:
    """Raises UnreadableImageError if a BMP file has an unusual channel order or transparency."""
    masks = container.bmp_masks(content)
    if masks is None:
        return
    bits, *colours, alpha = masks
    if tuple(colours) not in _READ_MASKS.get(bits, ()):
        raise UnreadableImageError(
            f"{name}: the channels of this BMP file are packed in an unusual order "
            f"({bits} bits, masks {', '.join(f'{mask:x}' for mask in colours)}): save it with 24 "
            "bits, or as PNG"
        )
    if alpha and bits == 32:
        (start,) = struct.unpack_from("<I", content, 10)
        if len(set(content[start + 3 :: 4])) > 1:
            raise UnreadableImageError(
                f"{name}: this BMP file has transparent pixels, which are read from PNG and WebP "
                "files only: save it as PNG"
            )
