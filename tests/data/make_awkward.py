"""Makes `awkward/`: the encoded pictures that `tests/edge/core/images/awkward.py` starts from.

Run once; the files are checked in, because another encoder would write other bytes. Needs Pillow:

    python tests/data/make_awkward.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).with_name("awkward")


def scene(height: int, width: int) -> Image.Image:
    """An RGB scene with slopes, edges and texture, another in each of its four corners."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    y, x = y / height, x / width
    red = 255 * x * (1 - 0.4 * y)
    green = 127 + 120 * np.sin(9 * x * x + 7 * y)
    blue = 255 * (1 - y) * (0.5 + 0.5 * np.cos(23 * x))
    picture = np.stack([red, green, blue], axis=2)
    picture[(x - 0.3) ** 2 + (y - 0.4) ** 2 < 0.04] = (240, 30, 20)
    picture[(abs(x - 0.8) < 0.1) & (abs(y - 0.2) < 0.1)] = (10, 10, 10)
    picture[(y > 0.7) & (x < 0.25) & ((x * 40).astype(int) % 2 == 0)] = (250, 250, 245)
    picture += np.random.default_rng(5).normal(0, 6, picture.shape)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    picture = scene(97, 151)
    alpha = Image.fromarray(np.linspace(0, 255, 97 * 151).reshape(97, 151).astype(np.uint8))
    clear = picture.copy()
    clear.putalpha(alpha)
    thumbnail = picture.resize((32, 20))

    def save(name: str, image: Image.Image, **options: object) -> None:
        image.save(FOLDER / name, **options)

    save("baseline_420.jpg", picture, quality=85, subsampling="4:2:0")
    save("baseline_422.jpg", picture, quality=85, subsampling="4:2:2")
    save("baseline_444.jpg", picture, quality=92, subsampling="4:4:4")
    save("progressive.jpg", picture, quality=85, subsampling="4:2:0", progressive=True)
    save("restart.jpg", picture, quality=85, subsampling="4:2:0", restart_marker_rows=1)
    save("camera.jpg", scene(480, 640), quality=80, subsampling="4:2:0")
    save("worst_quality.jpg", picture, quality=3, subsampling="4:2:0")
    save("grey.jpg", picture.convert("L"), quality=85)
    save("cmyk.jpg", picture.convert("CMYK"), quality=85)
    save("thumbnail.jpg", thumbnail, quality=85)
    save("one_pixel.jpg", picture.crop((40, 40, 41, 41)), quality=90)
    save("strip.jpg", scene(3, 500), quality=90, subsampling="4:2:0")
    save("lossy.webp", picture, quality=80, method=4)
    save("lossy_alpha.webp", clear, quality=80, method=4)
    save("lossless.webp", picture, lossless=True, method=4)
    save("lossless_alpha.webp", clear, lossless=True, exact=True, method=4)
    save("animated.webp", picture, save_all=True, append_images=[picture.rotate(180)], quality=60)


if __name__ == "__main__":
    main()
