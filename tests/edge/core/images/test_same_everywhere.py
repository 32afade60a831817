"""Every machine makes the same tensors of the same files.

The hashes are checked in; they were found equal on x86-64 and arm64, with OpenCV 4.11 and 5
(`tests/arm64.sh` shows it again). When preprocessing is changed on purpose, write them anew with
`make hashes`, run that script, and raise the number that keys the trainer's cache.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.core.errors import UnreadableImageError
from edge.core.images.image_file import decode_image
from tests.edge.core.images.awkward import HASHES, SPECS, awkward_files, hashes_of

RECORDED: dict[str, dict[str, str] | str] = json.loads(HASHES.read_text(encoding="utf-8"))
FILES = awkward_files()
THREADS = cv2.getNumThreads()


def test_the_table_and_the_hashes_name_the_same_files() -> None:
    assert set(RECORDED) == set(FILES)
    tensors = [recorded for recorded in RECORDED.values() if not isinstance(recorded, str)]
    assert all(set(recorded) == set(SPECS) for recorded in tensors)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name == "huge.png")) for name in FILES],
)
def test_a_file_becomes_the_recorded_tensors(name: str) -> None:
    assert hashes_of(FILES[name](), name=name) == RECORDED[name]


@pytest.mark.parametrize("threads", [1, 4])
def test_the_number_of_threads_does_not_matter(threads: int) -> None:
    cv2.setNumThreads(threads)
    try:
        for name in ("camera.png", "camera.jpg", "huge_noise.png"):
            assert hashes_of(FILES[name](), name=name) == RECORDED[name]
    finally:
        cv2.setNumThreads(THREADS)


def test_without_its_fast_paths_opencv_gives_the_same() -> None:
    before = cv2.useOptimized()
    cv2.setUseOptimized(False)
    try:
        for name in ("camera.png", "ratio_2.png", "ratio_3.png", "just_larger.png"):
            assert hashes_of(FILES[name](), name=name) == RECORDED[name]
    finally:
        cv2.setUseOptimized(before)


def _written(folder: Path) -> dict[Path, str]:
    """Path -> name of the awkward files that are pictures, written into `folder`."""
    paths = {}
    for name, content in FILES.items():
        if not isinstance(RECORDED[name], str) and "huge" not in name:
            (folder / name).write_bytes(content())
            paths[folder / name] = name
    return paths


@pytest.mark.parametrize("spec_name", ["letterbox 224", "grey 28"])
def test_the_trainer_and_the_converter_see_what_the_device_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec_name: str
) -> None:
    calibration = pytest.importorskip("converter.calibration")
    cache = pytest.importorskip("trainer.data.cache")
    from edge.core.dataset import LabelledPicture

    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "pictures").mkdir()
    paths = _written(tmp_path / "pictures")
    pictures = [LabelledPicture(path, "a") for path in paths]
    spec = SPECS[spec_name][0]
    trained_on = cache.decode_pictures(pictures, spec).tensors
    calibrated_on = calibration.calibration_tensors(pictures, spec)[2:]
    for name, trained, calibrated in zip(paths.values(), trained_on, calibrated_on, strict=True):
        assert _hash(trained) == RECORDED[name][spec_name], f"trainer, {name}"
        assert _hash(calibrated) == RECORDED[name][spec_name], f"converter, {name}"


def test_the_device_gives_its_interpreter_the_recorded_tensor(tiny_bundle: Path) -> None:
    from edge.core.images.preprocess import preprocess
    from edge.core.model.bundle import read_bundle
    from edge.core.model.classifier import Classifier

    classifier = Classifier(read_bundle(tiny_bundle))
    for name, content in FILES.items():
        if "huge" in name:
            continue
        try:
            image = decode_image(content(), name=name)
        except UnreadableImageError:
            continue
        classifier.scores(image)
        expected = preprocess(image, classifier.spec)
        assert np.array_equal(classifier.interpreter.tensor, expected), name


def _hash(tensor: Any) -> str:
    import hashlib

    return hashlib.sha256(np.ascontiguousarray(tensor).tobytes()).hexdigest()
