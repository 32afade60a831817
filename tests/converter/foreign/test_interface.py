"""A file that is no image classifier is refused; the error says what it is and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from converter.errors import ConversionError
from converter.foreign.interface import read_interface
from tests.bundles import TINY, TINY_UNKNOWN
from tests.converter.foreign.models import colour_model, way

pytestmark = pytest.mark.usefixtures("known_harmless")
WANTED = way("-1..1")
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "Edge TPU": (
        {"custom": "edgetpu-custom-op"},
        r"the file that it was compiled from, without _edgetpu.*, theirs\.tfl",
    ),
    "Flex": ({"custom": "FlexErf"}, r"operators of full TensorFlow \(Erf\).*TFLITE_BUILTINS"),
    "custom": ({"custom": "TheirOwn"}, r"custom operators \(TheirOwn\)"),
    "detection": ({"custom": "TFLite_Detection_PostProcess", "outputs": 4}, "object detector"),
    "two outputs": ({"outputs": 2}, "has 2 outputs .* which have one output"),
    "any size": ({"signature": (-1, -1, -1, 3)}, r"any size \(float32 \?x\?x\?x3\)"),
    "many at once": ({"batch": 8}, "8 pictures at a time .* batch size of 1"),
    "four pixels": ({"size": (4, 4)}, "pictures of 4 x 4 pixels"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_model_of_another_form_is_refused_with_what_it_is(kind: str) -> None:
    options, message = REFUSED[kind]
    model = colour_model(WANTED, **options)
    with pytest.raises(ConversionError, match=message):
        read_interface(model, Path("theirs_edgetpu.tflite"))


FILES = {
    "zip archive": (b"PK\x03\x04" + bytes(40), "zip archive: unpack it"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + bytes(40), "a Keras file"),
    "web page": (b"<!DOCTYPE html>", "a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "empty": (b"", "not a TFLite model"),
    "cut short": (colour_model(WANTED)[:700], "cut short or damaged"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_model_is_told_by_its_content(kind: str) -> None:
    content, message = FILES[kind]
    with pytest.raises(ConversionError, match=message):
        read_interface(content, Path("theirs.tflite"))


@pytest.mark.parametrize("share", range(0, 100, 9))
def test_no_cut_of_a_model_gives_a_traceback(share: int) -> None:
    whole = colour_model(WANTED)
    with pytest.raises(ConversionError, match=r"theirs\.tflite"):
        read_interface(whole[: len(whole) * share // 100], Path("theirs.tflite"))


def test_the_form_of_a_model_says_what_it_takes_and_gives() -> None:
    interface = read_interface(
        colour_model(WANTED, layout="NCHW", size=(16, 24)), Path("theirs.tflite")
    )
    assert (interface.height, interface.width, interface.channels, interface.channels_first) == (
        16,
        24,
        3,
        True,
    )
    assert (interface.classes, interface.has_unknown) == (10, False)
    integers = ("INT8", 1 / 127.5, 0)
    interface = read_interface(colour_model(WANTED, integers=integers), Path("theirs.tflite"))
    assert (interface.input.dtype, interface.input.zero_point) == ("INT8", 0)
    assert interface.input.scale == pytest.approx(1 / 127.5)


def test_pilahs_own_models_are_taken_with_and_without_a_score_for_the_unknown() -> None:
    assert not read_interface(TINY.read_bytes(), TINY).has_unknown
    interface = read_interface(TINY_UNKNOWN.read_bytes(), TINY_UNKNOWN)
    assert interface.has_unknown
    assert interface.classes == 3
