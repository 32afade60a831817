"""Decoded pictures: the same bytes from the same file on every machine.

OpenCV decodes; this module decides what may be decoded. What a file is, how large, whether it is
whole and how it is turned is found in its container beforehand, because OpenCV's own answers
differ between its versions (WebP's EXIF orientation is applied by 5 but not by 4.11, GIF is read
by 5 only) or are not given at all (a JPEG with a hole comes back half grey with no error).
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
"""File endings that are taken for pictures."""

CONVERTIBLE_SUFFIXES = frozenset({".heic", ".heif", ".avif", ".gif", ".tif", ".tiff"})
"""Pictures too, but not of a format that decodes alike everywhere: reported, not read."""

MAX_PIXELS = 1 << 26
"""Pixels that are decoded: 67 million, what the largest sensors of phones give as JPEG."""
MAX_FILE_BYTES = 1 << 28
"""Bytes of a file that are read: 268 million."""
_MAX_DECODED_BYTES = 1 << 28
"""Of a picture with transparency or 16 bits, whose pixels take up to sixteen bytes."""
_MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
"""Pixels times scans of a JPEG. Progressive files have about ten scans; thousands are an attack."""
_LARGE = 1 << 24
_one_large = threading.Lock()
"""Of pictures over 17 million pixels, one at a time is decoded, however many threads there are."""

_READ_MASKS = {
    16: ((0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)),
    32: ((0xFF0000, 0xFF00, 0xFF),),
}
"""Of BMP files, the masks of red, green and blue that OpenCV knows, by the bits of a pixel."""

_BACKGROUND = 255
"""Level behind transparent pixels: product pictures are cut out to stand on white."""
_ROWS = 256
"""So many rows at a time are laid on it, to save memory."""

SOURCES = tuple(
    Path(file or "")
    for file in (container.__file__, damage.__file__, orientation.__file__, __file__)
)
"""The code that decides about pixels: what was kept by another version of it is not used."""


def read_image(path: Path) -> Image:
    """The picture in the file `path`, upright, uint8 (height, width, 3) BGR.

    Raises:
        UnreadableImageError: not there, no plain file, empty, damaged, too large, of another
            format, or not decodable.

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
    """The bytes of a picture file, before anything is known of them.

    Args:
        name: what the file is called in an error; None: its path.

    Raises:
        OSError: it cannot be opened or read.
        UnreadableImageError: it is a pipe or device, or larger than MAX_FILE_BYTES.
    """
    found = path.stat()
    name = str(path) if name is None else name
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise UnreadableImageError(f"{name}: is no plain file: give a picture file")
    if found.st_size > MAX_FILE_BYTES:
        raise PictureTooLargeError(
            f"{name}: {found.st_size:,} bytes are too many: pictures are read up to "
            f"{MAX_FILE_BYTES:,} bytes. Make it smaller"
        )
    return path.read_bytes()


def decode_image(content: bytes, *, name: str = "picture") -> Image:
    """The picture in an encoded file's `content`, upright, uint8 (height, width, 3) BGR.

    Transparent pixels are laid on white (but a transparent level of a grey PNG stays as it is);
    grey, palette, CMYK and 16-bit files become 8-bit BGR; an animation gives its first picture.

    Args:
        name: what the picture is called in an error.

    Raises:
        UnreadableImageError: empty, damaged, of another format, not decodable, or nothing would be
            seen of it.
        PictureTooLargeError: it claims more pixels than are decoded.
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
                f"{name}: this {kind} file is damaged ({why}): copy it again, or leave it out"
            )
        image = _imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, name, kind)
        if _may_be_transparent(content, kind):
            image = _opaque(image, _imdecode(content, cv2.IMREAD_UNCHANGED, name, kind), name)
        if kind == "PNG" and content[24] == 16 and image.max() < 16:
            _check_depth(_imdecode(content, cv2.IMREAD_UNCHANGED, name, kind), name)
        return orientation.turned(image, orientation.orientation(content, kind))


def decode_frame(content: bytes) -> Image:
    """The picture of a camera's JPEG frame, as it lies: uint8 (height, width, 3) BGR.

    Some cameras leave out the end marker or the Huffman tables; both are no damage.

    Raises:
        UnreadableImageError: it is damaged, or no JPEG.
    """
    if not content.startswith(b"\xff\xd8"):
        raise UnreadableImageError("the frame does not begin as a JPEG does")
    if content.rfind(b"\xff\xd9") < 0:
        content += b"\xff\xd9"
    _check_size(content, "JPEG", *container.pixel_size(content, "JPEG"), "the frame")
    why = damage.damage(content, "JPEG")
    if why is not None:
        raise UnreadableImageError(f"the frame is damaged ({why})")
    return _imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, "the frame", "JPEG")


def _check_size(content: bytes, kind: str, width: int, height: int, name: str) -> None:
    """Passes a picture that can be decoded within a second or so and a gigabyte of memory."""
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
            f"claims {width:,} x {height:,} pixels and goes over them "
            f"{scanned // (width * height):,} times, where a progressive JPEG does about ten times"
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
    """`image` on white, where `whole`, decoded with its transparency, has any."""
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
            f"{name}: nothing is seen of this picture: its transparent pixels are laid on white, "
            "and the others are white or none. Save it on another ground, without transparency"
        )
    return mixed


def _check_depth(levels: npt.NDArray[Any], name: str) -> None:
    """Passes 16-bit levels that use their range, or are all black."""
    highest = int(levels[..., :3].max() if levels.ndim == 3 else levels.max())
    if highest:
        raise UnreadableImageError(
            f"{name}: this picture would be nearly black: its levels go up to 65,535, and the "
            f"highest is {highest:,}, as where the 10 or 12 bits of a camera were stored as they "
            "are. Multiply them so that white is 65,535, or save it with 8 bits"
        )


def _check_masks(content: bytes, name: str) -> None:
    """Passes a BMP file whose channels OpenCV reads in their own order, and that is opaque."""
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
