"""What small files that claim large pictures cost: `python -m tests.benchmarks.claimed_sizes`.

For every format, files of up to 2 MB that claim up to 65535x65535 pixels, those just within the
limits among them, are each read in a process of their own. The bar: refused or decoded within
1 GB and 5 s. Exit code 1: one was not.
"""

from __future__ import annotations

import multiprocessing
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import UnreadableImageError
from edge.core.images.image_file import decode_image

SECONDS, KILOBYTES = 5.0, 1_000_000
SIDES = (
    (65535, 65535),
    (20000, 20000),
    (8190, 8190),
    (65535, 1000),
    (8000, 4000),
    (5700, 5700),
    (4000, 4000),
)


def files() -> Iterator[tuple[str, bytes]]:
    """(name, content) of files that claim much."""
    flat = np.full((64, 64, 3), 200, np.uint8)
    jpegs = {
        "JPEG": cv2.imencode(".jpg", flat)[1].tobytes(),
        "JPEG progressive": cv2.imencode(".jpg", flat, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1],
    }
    for width, height in SIDES:
        size = f"{width}x{height}"
        for name, jpeg in jpegs.items():
            content = bytearray(bytes(jpeg))
            at = max(content.find(b"\xff\xc0"), content.find(b"\xff\xc2"))
            struct.pack_into(">HH", content, at + 5, height, width)
            yield f"{name} {size}", bytes(content)
            scan = content[content.find(b"\xff\xda") : -2]
            yield f"{name} {size} of 400 scans", bytes(content[:-2]) + bytes(scan) * 400
            # Zeros: in the standard tables, the shortest codes, so that the most is decoded.
            yield f"{name} {size} and 2 MB", bytes(content[:-2]) + bytes(2_000_000) + b"\xff\xd9"
        for depth, colour, channels in ((8, 2, 3), (8, 6, 4), (16, 6, 4), (16, 2, 3), (1, 0, 1)):
            row = 1 + (width * channels * depth + 7) // 8
            if row * height <= 1 << 31:
                yield (
                    f"PNG {size}, {depth} bits, colour {colour}",
                    _png(width, height, depth, colour, row),
                )
        yield f"BMP {size}", _bmp(width, height, bits=24, compression=0)
        yield f"BMP {size} packed", _bmp(width, height, bits=8, compression=1)
        if max(width, height) <= 16383:
            for quality in (30, 101):
                yield (
                    f"WebP {size} {quality}",
                    cv2.imencode(
                        ".webp",
                        np.full((height, width, 4), 200, np.uint8),
                        [cv2.IMWRITE_WEBP_QUALITY, quality],
                    )[1].tobytes(),
                )


def _png(width: int, height: int, depth: int, colour: int, row: int) -> bytes:
    pack = zlib.compressobj(9)
    stream = b"".join(pack.compress(bytes(row) * 64) for _ in range(height // 64))
    stream += pack.compress(bytes(row) * (height % 64)) + pack.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", stream), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def _bmp(width: int, height: int, *, bits: int, compression: int) -> bytes:
    palette = bytes(1024) if bits == 8 else b""
    start = 54 + len(palette)
    header = struct.pack("<2sIHHI", b"BM", start + 1000, 0, 0, start)
    header += struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return header + palette + bytes(1000)


def _read(content: bytes, answers: multiprocessing.SimpleQueue[tuple[str, float, int]]) -> None:
    began = time.process_time()
    try:
        said = "x".join(map(str, decode_image(content).shape))
    except UnreadableImageError as error:
        said = str(error)[:60]
    # getrusage would count what the parent had when it forked.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0])
    answers.put((said, time.process_time() - began, peak))


def main() -> int:
    context = multiprocessing.get_context("spawn")
    good = True
    for name, content in files():
        answers = context.SimpleQueue()
        process = context.Process(target=_read, args=(content, answers))
        process.start()
        process.join()
        if process.exitcode:
            print(f"{name:40} ended with {process.exitcode}")
            good = False
            continue
        said, seconds, peak = answers.get()
        well = seconds <= SECONDS and peak <= KILOBYTES
        good = good and well
        print(
            f"{name:40} {len(content):9,} bytes {seconds:5.2f} s {peak // 1000:5} MB  {said}",
            flush=True,
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
