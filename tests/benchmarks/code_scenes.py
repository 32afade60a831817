"""Pictures of printed codes, made for measuring how many are read: 1280x720, one code in each.

zxing-cpp's own writer draws a code. It is printed as a white label on a textured ground, turned by
any angle, made small (2 pixels a module), blurred, darkened, and given a sensor's noise.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from edge.core.images.image_file import Image

WIDTH, HEIGHT = 1280, 720
FORMATS = ("ean13", "code128", "qr", "data_matrix")
MODULE_PIXELS = 2.0
BLURS = (0.5, 0.9)
"""Sigma of the lens's blur in pixels: the least and the most."""
GAINS = (0.3, 1.0)
"""What the light leaves of the picture's levels, 1 being well lit."""
NOISES = (2.0, 5.0)
"""Sigma of a sensor's noise in levels."""
_SUPERSAMPLING = 4
_WRITERS = {
    "ean13": zxingcpp.BarcodeFormat.EAN13,
    "code128": zxingcpp.BarcodeFormat.Code128,
    "qr": zxingcpp.BarcodeFormat.QRCode,
    "data_matrix": zxingcpp.BarcodeFormat.DataMatrix,
}

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One picture, and what its code says."""

    image: Image
    """uint8 (720, 1280, 3) BGR."""
    code_format: str
    text: str
    angle: float
    """Degrees, counter-clockwise."""


def make_scene(
    code_format: str, generator: np.random.Generator, *, module_pixels: float = MODULE_PIXELS
) -> Scene:
    """A scene with a code of that format, its text, place, angle and light drawn at random."""
    text = _text(code_format, generator)
    drawn = np.array(zxingcpp.create_barcode(text, _WRITERS[code_format]).to_image(scale=1))
    angle = generator.uniform(0, 360)
    ground = _ground(generator)
    _print_label(ground, drawn, angle, module_pixels, generator)
    image = cv2.GaussianBlur(ground, (0, 0), generator.uniform(*BLURS))
    lit = image * generator.uniform(*GAINS)
    noisy = lit + generator.normal(0, generator.uniform(*NOISES), lit.shape)
    return Scene(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), code_format, text, angle)


def ean13(generator: np.random.Generator) -> str:
    """The thirteen digits of an EAN-13 with the right check digit."""
    digits = [int(digit) for digit in generator.integers(0, 10, 12)]
    total = sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return "".join(map(str, [*digits, -total % 10]))


def _text(code_format: str, generator: np.random.Generator) -> str:
    if code_format == "ean13":
        return ean13(generator)
    letters = list(string.ascii_uppercase + string.digits)
    return "".join(generator.choice(letters, int(generator.integers(8, 15))))


def _ground(generator: np.random.Generator) -> npt.NDArray[np.float32]:
    """Cardboard, cloth and print: noise of several scales, and edges, in colour."""
    ground = np.full((HEIGHT, WIDTH, 3), generator.uniform(60, 200, 3), np.float32)
    for scale, strength in ((2, 8), (8, 12), (40, 25)):
        shape = (HEIGHT // scale + 2, WIDTH // scale + 2, 3)
        noise = generator.normal(0, strength, shape).astype(np.float32)
        ground += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        first, second = (
            tuple(int(value) for value in generator.integers(0, (WIDTH, HEIGHT))) for _ in range(2)
        )
        colour = tuple(float(value) for value in generator.uniform(20, 235, 3))
        cv2.line(ground, first, second, colour, int(generator.integers(1, 14)), cv2.LINE_AA)
    return ground


def _print_label(
    ground: npt.NDArray[np.float32],
    drawn: Grey,
    angle: float,
    module_pixels: float,
    generator: np.random.Generator,
) -> None:
    """Prints the label on the ground, wholly within it, at a random place."""
    fine = module_pixels * _SUPERSAMPLING
    height, width = drawn.shape[:2]
    side = int(np.ceil(module_pixels * np.hypot(width, height))) + 2
    left, top = (int(generator.integers(0, size - side)) for size in (WIDTH, HEIGHT))
    # The label, turned about the middle of a square, at a place between two pixels.
    middle = side * _SUPERSAMPLING / 2 + generator.uniform(-0.5, 0.5, 2) * _SUPERSAMPLING
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), angle, fine)
    turn[:, 2] += middle - (width / 2 - 0.5, height / 2 - 0.5)
    paper, ink = generator.uniform(215, 245), generator.uniform(15, 45)
    levels = ink + (paper - ink) / 255 * drawn.astype(np.float32)

    def at_size(source: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        square = (side * _SUPERSAMPLING,) * 2
        turned = cv2.warpAffine(source, turn, square, flags=cv2.INTER_NEAREST)
        return cv2.resize(turned, (side, side), interpolation=cv2.INTER_AREA)[..., None]

    covered = at_size(np.ones_like(levels))
    part = ground[top : top + side, left : left + side]
    part[:] = (1 - covered) * part + at_size(levels)
