"""The normalisation is read from a file's integer input, its metadata or its layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.foreign.evidence import normalisations_to_try, read_evidence
from converter.foreign.interface import read_interface
from converter.tflite.metadata import PictureMetadata, read_metadata, with_metadata
from tests.bundles import TINY
from tests.converter.foreign.models import LABELS, SPEC, colour_model, way

pytestmark = pytest.mark.usefixtures("known_harmless")

INTEGERS = {
    "-1..1 as Coral has it": (("UINT8", 1 / 128, 128), "-1..1"),
    "-1..1 by calibration": (("UINT8", 1 / 127.5, 127), "-1..1"),
    "-1..1, int8": (("INT8", 1 / 127.5, 0), "-1..1"),
    "-1..1 without pure white": (("UINT8", 1.93 / 255, 132), "-1..1"),
    "0..1": (("UINT8", 1 / 255, 0), "0..1"),
    "0..1, int8": (("INT8", 1 / 255, -128), "0..1"),
    "raw": (("UINT8", 1.0, 0), "raw"),
    "raw, int8": (("INT8", 1.0, -128), "raw"),
    "torchvision": (("UINT8", 4.758 / 255, 114), "torchvision"),
    "caffe": (("UINT8", 274.74 / 255, 115), "caffe"),
    "something else": (("UINT8", 0.02, 10), None),
}


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_say_what_they_stand_for(kind: str) -> None:
    integers, name = INTEGERS[kind]
    interface = read_interface(colour_model(way("-1..1"), integers=integers), Path("m.tflite"))
    found = read_evidence(interface, None)
    assert (found.normalisation.name if found else None) == name


METADATA = {
    "MediaPipe's": ((127.5,), (127.5,), "-1..1"),
    "EfficientNet-Lite's": ((127.0,), (128.0,), "-1..1"),
    "0 and 1": ((0.0,), (1.0,), "raw"),
    "0 and 255, for each channel": ((0.0, 0.0, 0.0), (255.0, 255.0, 255.0), "0..1"),
    "ImageNet's": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), "torchvision"),
    "their own": ((90.0, 80.0, 70.0), (30.0, 30.0, 30.0), "metadata"),
    "no deviation": ((0.0,), (0.0,), None),
    "two channels": ((0.0, 1.0), (1.0, 2.0), None),
    "nothing": ((), (), None),
}


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_say_it_in_mean_and_deviation(kind: str) -> None:
    mean, deviation, name = METADATA[kind]
    interface = read_interface(colour_model(way("-1..1")), Path("m.tflite"))
    found = read_evidence(interface, PictureMetadata(mean, deviation, ()))
    assert (found.normalisation.name if found else None) == name
    tried = {str(way) for way in normalisations_to_try(interface, found)}
    assert tried >= {"raw", "-1..1", "torchvision, BGR", *([name] if name else [])}


def test_what_pilah_writes_into_a_model_is_read_back() -> None:
    model = with_metadata(
        colour_model(way("raw")), name="theirs", version="1", spec=SPEC, labels=LABELS
    )
    assert read_metadata(model) == PictureMetadata((0.0,), (1.0,), ("labels.txt",))
    assert read_metadata(TINY.read_bytes()) is None


def test_damaged_metadata_are_none() -> None:
    model = bytearray(
        with_metadata(TINY.read_bytes(), name="theirs", version="1", spec=SPEC, labels=LABELS)
    )
    start = model.index(b"M001") - 4
    for place in range(start + 8, start + 200):
        damaged = bytearray(model)
        damaged[place] ^= 0xFF
        found = read_metadata(bytes(damaged))  # raises nothing
        assert found is None or isinstance(found, PictureMetadata)


def test_a_layout_is_usual_and_no_proof() -> None:
    interface = read_interface(colour_model(way("torchvision"), layout="NCHW"), Path("m.tflite"))
    found = read_evidence(interface, None)
    assert found is not None
    assert found.normalisation.name == "torchvision"
    assert not found.explicit


def test_a_model_that_takes_levels_is_tried_in_both_orders_only() -> None:
    interface = read_interface(TINY.read_bytes(), TINY)
    tried = normalisations_to_try(interface, read_evidence(interface, None))
    assert [str(way) for way in tried] == ["raw", "raw, BGR"]
