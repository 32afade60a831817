"""A table of awkward picture files, the same bytes of pixels on every machine.

What needs an encoder is checked in under `tests/data/awkward/`; PNG and BMP files are written here
with `zlib` and `struct`, and EXIF blocks are spliced in, so that no library's version has a say.
`python -m tests.edge.core.images.awkward` writes what `test_same_everywhere.py` compares.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.errors import UnreadableImageError
from edge.core.images.image_file import decode_image
from edge.core.images.preprocess import Box, InputSpec, preprocess

DATA = Path(__file__).parents[3] / "data"
HASHES = DATA / "preprocess_hashes.json"

SPECS: Mapping[str, tuple[InputSpec, Box | None]] = {
    "letterbox 224": (InputSpec(), None),
    "squash 224": (InputSpec(geometry="squash"), None),
    "center_crop 160x192": (InputSpec(height=160, width=192, geometry="center_crop"), None),
    "grey 28": (InputSpec(height=28, width=28, channels=1, fill=0), None),
    "item 96": (InputSpec(height=96, width=96, crop="item"), Box(11, 7, 60, 45)),
}
"""Name -> an input spec and the item's box."""

Pixels = npt.NDArray[np.uint8]


def noise(height: int, width: int, channels: int = 3) -> Pixels:
    """Pixels with no pattern, by integer arithmetic: uint8 (height, width, channels)."""
    index = np.arange(height * width * channels, dtype=np.uint64).reshape(height, width, channels)
    mixed = (index + np.uint64(1)) * np.uint64(2654435761)
    mixed = (mixed ^ (mixed >> np.uint64(15))) * np.uint64(2246822519)
    return ((mixed >> np.uint64(13)) & np.uint64(255)).astype(np.uint8)


def slopes(height: int, width: int, channels: int = 3) -> Pixels:
    """Slopes with an edge, which compress well: uint8 (height, width, channels)."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * (c + 1) // 7 + y * (3 - c) // 5 + 60 * (x > y)) % 256 for c in range(channels)]
    return np.stack(planes, axis=2).astype(np.uint8)


def png(
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    *,
    colour: int,
    depth: int = 8,
    before: tuple[tuple[bytes, bytes], ...] = (),
    after: tuple[tuple[bytes, bytes], ...] = (),
) -> bytes:
    """A PNG file of samples (height, width, channels).

    Args:
        colour: PNG's colour type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.
        depth: bits a sample, 1 to 16.
        before, after: (type, content) of chunks before and behind the pixels.
    """
    height, width = pixels.shape[:2]
    if depth == 16:
        rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        rows = pixels.astype(np.uint8).reshape(height, -1)
    else:
        bits = np.unpackbits(pixels.astype(np.uint8)[:, :, :1], axis=2)[:, :, 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    step = max(1, rows.shape[1] // width)
    filtered = rows.copy()
    filtered[:, step:] -= rows[:, :-step]  # filter 1, the difference from the left
    lines = np.concatenate([np.ones((height, 1), np.uint8), filtered], axis=1)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), *before, (b"IDAT", zlib.compress(lines.tobytes(), 6)), *after)
    whole = (*chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, content) for kind, content in whole)


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content)) + kind + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )  # fmt: skip


def bmp(bgr: Pixels, *, bits: int = 24, top_down: bool = False) -> bytes:
    """A BMP file: 24 bits BGR, 32 bits BGR and a fourth byte, or 8 bits with a grey palette."""
    height, width = bgr.shape[:2]
    palette = b""
    if bits == 8:
        rows, palette = bgr[:, :, 0], b"".join(bytes((i, i, i, 0)) for i in range(256))
    elif bits == 32:
        rows = np.concatenate([bgr, noise(height, width, 1)], axis=2).reshape(height, -1)
    else:
        rows = bgr.reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    body = (rows if top_down else rows[::-1]).tobytes()
    start = 54 + len(palette)
    signed_height = -height if top_down else height
    return (
        struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start)
        + struct.pack("<IiiHHIIiiII", 40, width, signed_height, 1, bits, 0, len(body), 0, 0, 0, 0)
        + palette
        + body
    )


def exif(orientation: int, *, thumbnail: bytes = b"", order: str = "<") -> bytes:
    """A TIFF block with the tag Orientation and, in a second directory, a JPEG thumbnail."""
    magic = b"II*\0" if order == "<" else b"MM\0*"
    first = struct.pack(f"{order}HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    second_at = 8 + len(first) + 4 if thumbnail else 0
    block = magic + struct.pack(f"{order}I", 8) + first + struct.pack(f"{order}I", second_at)
    if thumbnail:
        at = second_at + 2 + 2 * 12 + 4
        block += struct.pack(f"{order}HHHII", 2, 0x0201, 4, 1, at)
        block += struct.pack(f"{order}HHIII", 0x0202, 4, 1, len(thumbnail), 0) + thumbnail
    return block


def jpeg_with_exif(jpeg: bytes, block: bytes) -> bytes:
    """`jpeg` with an EXIF segment put before all others."""
    content = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def webp_with_exif(webp: bytes, block: bytes, *, height: int, width: int) -> bytes:
    """A plain lossy `webp` as an extended one with an EXIF chunk."""
    header = struct.pack("<I", 8) + (width - 1).to_bytes(3, "little")
    header += (height - 1).to_bytes(3, "little")
    chunks = _riff_chunk(b"VP8X", header) + webp[12:] + _riff_chunk(b"EXIF", block)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _riff_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def stored(name: str) -> bytes:
    """A file of `tests/data/awkward/`."""
    return (DATA / "awkward" / name).read_bytes()


def awkward_files() -> dict[str, Callable[[], bytes]]:
    """Name -> what makes the file's content."""
    files: dict[str, Callable[[], bytes]] = {}
    for path in sorted((DATA / "awkward").iterdir()):
        files[path.name] = path.read_bytes
    base = "baseline_420.jpg"
    for turn in range(1, 9):
        files[f"orientation_{turn}.jpg"] = lambda turn=turn: jpeg_with_exif(
            stored(base), exif(turn, order="<" if turn % 2 else ">")
        )
        files[f"orientation_{turn}.png"] = lambda turn=turn: png(
            slopes(53, 90), colour=2, before=((b"eXIf", exif(turn)),)
        )
    for turn in (3, 6):
        files[f"orientation_{turn}.webp"] = lambda turn=turn: webp_with_exif(
            stored("lossy.webp"), exif(turn), height=97, width=151
        )
        files[f"orientation_{turn}_alpha.png"] = lambda turn=turn: png(
            noise(53, 90, 4), colour=6, before=((b"eXIf", exif(turn)),)
        )
    files["orientation_9.jpg"] = lambda: jpeg_with_exif(stored(base), exif(9))
    files["orientation_behind_pixels.png"] = lambda: png(
        slopes(53, 90), colour=2, after=((b"eXIf", exif(6)),)
    )
    files["with_thumbnail.jpg"] = lambda: jpeg_with_exif(
        stored(base), exif(6, thumbnail=stored("thumbnail.jpg"))
    )

    grey_steps = bytes(level for i in range(256) for level in (i, 255 - i, i // 2))
    files |= {
        "rgb.png": lambda: png(noise(97, 151), colour=2),
        "grey.png": lambda: png(noise(97, 151, 1), colour=0),
        "grey_1bit.png": lambda: png(noise(97, 151, 1) & 1, colour=0, depth=1),
        "grey_4bit.png": lambda: png(noise(97, 151, 1) & 15, colour=0, depth=4),
        "grey_alpha.png": lambda: png(noise(97, 151, 2), colour=4),
        "rgba.png": lambda: png(noise(97, 151, 4), colour=6),
        "palette.png": lambda: png(
            noise(97, 151, 1), colour=3, before=((b"PLTE", grey_steps),)
        ),
        "palette_2bit.png": lambda: png(
            noise(97, 151, 1) & 3, colour=3, depth=2, before=((b"PLTE", grey_steps[:12]),)
        ),
        "palette_transparent.png": lambda: png(
            noise(97, 151, 1),
            colour=3,
            before=((b"PLTE", grey_steps), (b"tRNS", bytes(range(0, 200, 2)))),
        ),
        "grey_transparent_level.png": lambda: png(
            noise(97, 151, 1) // 64, colour=0, before=((b"tRNS", b"\0\2"),)
        ),
        "rgb_transparent_colour.png": lambda: png(
            noise(97, 151) // 128 * 255, colour=2, before=((b"tRNS", b"\0\xff\0\0\0\xff"),)
        ),
        "grey_16bit.png": lambda: png(_wide(97, 151, 1), colour=0, depth=16),
        "grey_alpha_16bit.png": lambda: png(_wide(97, 151, 2), colour=4, depth=16),
        "rgb_16bit.png": lambda: png(_wide(97, 151, 3), colour=2, depth=16),
        "rgba_16bit.png": lambda: png(_wide(97, 151, 4), colour=6, depth=16),
        "gamma.png": lambda: png(
            slopes(97, 151), colour=2, before=((b"gAMA", struct.pack(">I", 100000)),)
        ),
        "animated.png": _animated_png,
        "one_pixel.png": lambda: png(noise(1, 1), colour=2),
        "two_rows.png": lambda: png(noise(2, 3), colour=2),
        "strip.png": lambda: png(noise(3, 500), colour=2),
        "pole.png": lambda: png(noise(500, 3), colour=2),
        "ratio_2x1.png": lambda: png(noise(224, 448), colour=2),
        "ratio_2.png": lambda: png(noise(448, 448), colour=2),
        "ratio_3.png": lambda: png(noise(672, 672), colour=2),
        "ratio_4.png": lambda: png(noise(896, 896), colour=2),
        "ratio_1_3.png": lambda: png(noise(672, 230), colour=2),
        "just_larger.png": lambda: png(noise(225, 227), colour=2),
        "just_smaller.png": lambda: png(noise(223, 221), colour=2),
        "camera.png": lambda: png(noise(480, 640), colour=2),
        "huge.png": lambda: png(slopes(4000, 6000), colour=2),
        "huge_noise.png": lambda: png(np.tile(noise(97, 131), (20, 20, 1)), colour=2),
        "bgr.bmp": lambda: bmp(noise(97, 151)),
        "top_down.bmp": lambda: bmp(noise(97, 151), top_down=True),
        "with_fourth_byte.bmp": lambda: bmp(noise(97, 151), bits=32),
        "palette.bmp": lambda: bmp(noise(97, 151), bits=8),
    }  # fmt: skip

    # Damage that a decoder bridges: all must bridge it alike.
    files |= {
        "flipped_bit.jpg": lambda: _flipped(stored(base), 3000),
        "cut_and_ended.jpg": lambda: stored(base)[:3000] + b"\xff\xd9",
        "stray_bytes.jpg": lambda: stored(base)[:20] + b"\0\0" + stored(base)[20:],
        "more_behind_the_end.jpg": lambda: stored(base) + stored("thumbnail.jpg"),
    }
    # Refused, by the same error everywhere.
    files |= {
        "empty.jpg": lambda: b"",
        "text.jpg": lambda: b"not a picture at all\n",
        "cut.jpg": lambda: stored(base)[:3000],
        "cut_in_header.jpg": lambda: stored(base)[:300],
        "cut_progressive.jpg": lambda: stored("progressive.jpg")[:3000],
        "cut_with_thumbnail.jpg": lambda: jpeg_with_exif(
            stored(base), exif(1, thumbnail=stored("thumbnail.jpg"))
        )[:4000],
        "cut.png": lambda: png(noise(97, 151), colour=2)[:20000],
        "cut_end.png": lambda: png(noise(97, 151), colour=2)[:-12],
        "flipped_bit.png": lambda: _flipped(png(noise(97, 151), colour=2), 20000),
        "cut.webp": lambda: stored("lossy.webp")[:2000],
        "cut_lossless.webp": lambda: stored("lossless.webp")[:9000],
        "cut.bmp": lambda: bmp(noise(97, 151))[:9000],
        "picture.gif": lambda: b"GIF89a\1\0\1\0\0\0\0;",
        "picture.tif": lambda: b"II*\0\x08\0\0\0\0\0",
        "picture.heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    }
    return files


def _wide(height: int, width: int, channels: int) -> npt.NDArray[np.uint16]:
    return noise(height, width, 2 * channels).view(np.uint16)


def _animated_png() -> bytes:
    still = png(slopes(53, 90), colour=2, before=((b"acTL", struct.pack(">II", 2, 0)),))
    lines = np.concatenate([np.zeros((53, 1), np.uint8), noise(53, 90).reshape(53, -1)], axis=1)
    second = struct.pack(">I", 2) + zlib.compress(lines.tobytes(), 6)
    end = still.index(b"IDAT") - 4
    frame = [
        _png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 90, 53, 0, 0, 1, 10, 0, 0))
        for number in (0, 1)
    ]
    return still[:end] + frame[0] + still[end:-12] + frame[1] + _png_chunk(b"fdAT", second) + (
        still[-12:]
    )  # fmt: skip


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes((content[at] ^ 4,)) + content[at + 1 :]


def hashes() -> dict[str, dict[str, str] | str]:
    """File -> the SHA-256 of its tensor for every spec, or the name of the error it gets."""
    found: dict[str, dict[str, str] | str] = {}
    for name, content in awkward_files().items():
        found[name] = hashes_of(content(), name=name)
    return found


def hashes_of(content: bytes, *, name: str) -> dict[str, str] | str:
    """Spec -> the SHA-256 of the tensor made of an encoded file, or the name of the error."""
    try:
        image = decode_image(content, name=name)
    except UnreadableImageError as error:
        return type(error).__name__
    return {
        spec_name: hashlib.sha256(preprocess(image, spec, box=box).tobytes()).hexdigest()
        for spec_name, (spec, box) in SPECS.items()
    }


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HASHES
    target.write_text(json.dumps(hashes(), indent=1) + "\n", encoding="utf-8")
