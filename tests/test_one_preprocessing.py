"""There is one way from a picture file to a tensor, and all three programs take it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "edge" / "core" / "images"
CONTRACT = {IMAGES / name for name in ("image_file.py", "damage.py", "preprocess.py")}
MODULES = [
    path
    for package in ("edge", "trainer", "converter")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path not in CONTRACT
]

DECODERS = {"PIL", "imageio", "skimage", "torchvision", "turbojpeg", "simplejpeg", "pillow_heif"}
"""Packages that open pictures in their own way."""
CALLS = {
    "imread", "imdecode", "imdecodemulti", "imreadmulti", "resize", "pyrDown", "resizeWindow",
    "decode_image", "decode_jpeg", "decode_png", "decode_bmp", "resize_with_pad",
    "load_img", "img_to_array", "image_dataset_from_directory", "ImageDataGenerator",
    "Resizing", "CenterCrop", "preprocess_input",
}  # fmt: skip
"""What OpenCV, TensorFlow and Keras call decoding, resizing and normalising."""
ALLOWED = {
    (
        "converter/bundle/golden_choice.py",
        "resize",
    ): "makes a photograph small before it is stored as a "
    "PNG; the tensor is made of that PNG by preprocess",
    (
        "converter/exports/export_folders.py",
        "resize",
    ): "reads pictures as other tools do, to report "
    "what becomes of the formats made for them; nothing of pilah's is given that tensor",
    (
        "edge/benchmark/drawn_belt.py",
        "resize",
    ): "paints the grain of a belt; what it resizes is no picture yet",
    (
        "edge/samples/photographs.py",
        "simplejpeg",
    ): "writes photographs for people to look at, and reads none",
    (
        "edge/teaching/live_picture.py",
        "resize",
    ): "makes frames small to be looked at; no model is given them",
    (
        "edge/teaching/live_picture.py",
        "simplejpeg",
    ): "writes frames for people to look at, and reads none",
    (
        "edge/vision/camera/scene_reference.py",
        "imread",
    ): "reads the small reference picture that it wrote itself, with its fourth channel",
    (
        "edge/vision/camera/picture_checks.py",
        "resize",
    ): "judges small copies; the model is given the frame itself",
    (
        "edge/vision/camera/scene_checks.py",
        "resize",
    ): "compares small copies with the scene of the start; the model is given the frame itself",
    (
        "edge/vision/trigger/motion.py",
        "resize",
    ): "looks for movement on a small copy; the model is given the frame itself",
    (
        "edge/vision/trigger/page.py",
        "resize",
    ): "makes frames small to be looked at; no model is given them",
    (
        "edge/vision/trigger/page.py",
        "imdecode",
    ): "of the small pictures that it keeps as JPEG itself",
    (
        "trainer/augment/background_swap.py",
        "resize",
    ): "paints what lies behind an item, in a tensor",
    (
        "trainer/augment/camera_effects.py",
        "imdecode",
    ): "puts a JPEG's traces into what is a tensor already",
    (
        "trainer/evaluation/robustness.py",
        "imdecode",
    ): "puts a JPEG's traces into what is a tensor already",
    (
        "trainer/evaluation/explanation.py",
        "resize",
    ): "spreads the heat of where a model looked over its picture",
    ("edge/simulation/faults/camera.py", "resize"): "draws the scene that a moved camera sees",
    ("trainer/data/duplicates/near_duplicates.py", "resize"): "compares small copies of tensors",
}
DRAWS = ROOT / "edge" / "simulation" / "belt"
"""Makes what a camera would see; what it resizes is paint, not a model's input."""


def calls_of_its_own(source: str) -> Iterator[str]:
    """Names in `source` by which a picture is opened or resized other than by the contract."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] in DECODERS)
        elif isinstance(node, ast.ImportFrom):
            if node.module and node.module.partition(".")[0] in DECODERS:
                yield node.module
            elif node.module != "edge.core.images.image_file":
                yield from (alias.name for alias in node.names if alias.name in CALLS)
        elif isinstance(node, ast.Attribute) and node.attr in CALLS:
            yield node.attr


def test_the_search_finds_what_it_is_for() -> None:
    assert list(calls_of_its_own("from PIL import Image")) == ["PIL"]
    assert list(calls_of_its_own("import cv2\nx = cv2.resize(y, (3, 3))")) == ["resize"]
    assert list(calls_of_its_own("tf.image.resize(x, (3, 3))")) == ["resize"]
    assert list(calls_of_its_own("from cv2 import imread")) == ["imread"]
    assert not list(calls_of_its_own("from edge.core.images.image_file import decode_image"))


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if DRAWS not in path.parents],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_module_opens_or_resizes_pictures_by_itself(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    found = set(calls_of_its_own(path.read_text(encoding="utf-8")))
    assert not {call for call in found if (name, call) not in ALLOWED}, (
        f"{name}: use edge.core.images.image_file and edge.core.images.preprocess"
    )
