"""A small bundle that is right in every way, for tests to run or to damage."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.core.images.image_file import Image, read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model import bundle as bundles
from edge.core.model.golden import record_golden
from edge.core.model.interpreter import Interpreter

TINY = Path(__file__).with_name("data") / "tiny.tflite"
"""Takes uint8 (1, 32, 32, 3) RGB and scores which of red, green and blue prevails; a pure colour
gets 0.9998, grey a third each. Made by `data/make_tiny.py`."""

TINY_UNKNOWN = TINY.with_name("tiny_unknown.tflite")
"""The same with a second output: a novelty score of 0.03 for a pure colour, of 0.8 for grey."""

LABELS = ("red", "green", "blue")
SPEC = InputSpec(height=32, width=32)
BGR = {"red": (30, 40, 220), "green": (40, 200, 50), "blue": (210, 60, 40)}
"""A colour for each label that the tiny model is sure of."""


def make_bundle(
    folder: Path,
    *,
    labels: Sequence[str] = LABELS,
    accept: Mapping[str, float] | None = None,
    spec: InputSpec = SPEC,
    model: bytes | None = None,
    unknown: float | None = None,
    name: str = "tiny",
    version: str = "1",
) -> Path:
    """Writes a bundle into `folder`, which need not exist, and returns `folder`.

    Args:
        labels: what the model's three scores (red, green, blue) are called.
        accept: threshold of every label; None: 0.5 each.
        spec: must make 32x32 RGB tensors.
        model: a `.tflite` file's bytes; None: the tiny one.
        unknown: threshold of the novelty score, of a model that has one; None: that
            of a model without.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "golden").mkdir()
    if model is None:
        model = (TINY if unknown is None else TINY_UNKNOWN).read_bytes()
    (folder / bundles.MODEL).write_bytes(model)
    (folder / bundles.LABELS).write_text("".join(f"{label}\n" for label in labels), "utf-8")
    (folder / bundles.CARD).write_text(f"# {name} {version}\n", "utf-8")
    reference = Interpreter(model, kernels="reference")
    tensors = []
    for index, bgr in enumerate(((60, 90, 180), (150, 120, 70))):
        file = folder / "golden" / f"{index}.png"
        write_picture(file, bgr, height=40 + 20 * index, width=90)
        tensors.append(preprocess(read_image(file), spec))
    bundles.write_manifest(
        folder,
        name=name,
        version=version,
        input=spec,
        accept=dict(accept or dict.fromkeys(labels, 0.5)),
        unknown=None if unknown is None else {"score": "both", "threshold": unknown},
        quantization={"scheme": "int8", "calibration_pictures": 13},
        golden={
            "tolerance": 0.05,
            "unknown_tolerance": None if unknown is None else 0.05,
            "pictures": record_golden([reference.predict(t) for t in tensors], tensors),
        },
        figures={},
        recipe={"name": "tiny"},
        data={"digest": "0" * 64},
        tools={},
    )
    return folder


def zip_of(bundle: Path, target: Path, *, around: str = "") -> Path:
    """The folder `bundle` as the zip file `target`.

    Args:
        around: put before each name: a folder, with its `/`.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(bundle.rglob("*")):
            archive.write(file, around + file.relative_to(bundle).as_posix())
    return target


def write_picture(
    file: Path, bgr: tuple[int, int, int], *, height: int = 60, width: int = 90
) -> Path:
    """Writes a picture of a lightly textured colour, whose format is that of the file's ending."""
    random = np.random.default_rng(height * width)
    texture = random.integers(-20, 21, (height, width, 1))
    image: Image = np.clip(np.array(bgr) + texture, 0, 255).astype(np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(file), image):
        raise OSError(f"{file}: not written")
    return file


def change_manifest(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Has `change` change the fields of a bundle's manifest."""
    fields = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    change(fields)
    (bundle / "bundle.json").write_text(json.dumps(fields), encoding="utf-8")


def rewrite(bundle: Path, name: str, content: bytes) -> None:
    """Changes a file of a bundle, and its SHA-256 in the manifest."""
    (bundle / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    change_manifest(bundle, lambda fields: fields["files"].update({name: digest}))
