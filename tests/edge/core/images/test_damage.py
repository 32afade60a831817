"""What is wrong inside a file whose markers are all there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.core.errors import UnreadableImageError
from edge.core.images.image_file import decode_frame, decode_image
from tests.benchmarks.damaged_pictures import CODINGS, count, drawn, encoded
from tests.edge.core.images.awkward import bmp, slopes, stored


def test_damaged_pictures_are_refused() -> None:
    """The short form of `make damaged`."""
    rng = np.random.default_rng(0)
    images = [drawn(rng) for _ in range(4)]
    wrong, refused, taken = count(lambda index: images[index], len(images), rng)
    assert wrong.total() > 150
    assert refused.total() >= 0.98 * wrong.total(), taken


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("ground", [0, 255])
def test_a_flat_ground_is_no_damage(coding: str, ground: int) -> None:
    image = np.full((240, 320, 3), ground, np.uint8)
    cv2.circle(image, (160, 120), 60, (0, 90, 200), -1)
    image[200:, :40] = drawn(np.random.default_rng(1))[:40, :40]
    decode_image(encoded(image, coding))


def test_what_follows_a_whole_jpeg_is_no_damage() -> None:
    whole = stored("baseline_420.jpg")
    video = b"\0\0\0\x18ftypmp42" + bytes(5000)
    assert np.array_equal(decode_image(whole + video), decode_image(whole))


@pytest.mark.parametrize("padding", [1, 16])
def test_padding_before_the_end_marker_is_no_damage(padding: int) -> None:
    whole = stored("baseline_420.jpg")
    padded = whole[:-2] + bytes(padding) + whole[-2:]
    assert np.array_equal(decode_image(padded), decode_image(whole))


def test_more_than_padding_before_the_end_marker_is_damage() -> None:
    whole = stored("baseline_420.jpg")
    with pytest.raises(UnreadableImageError, match="extraneous bytes"):
        decode_image(whole[:-2] + b"\1\2\3" * 100 + whole[-2:])


def test_a_frame_without_end_marker_or_huffman_tables_is_whole() -> None:
    whole = cv2.imencode(".jpg", slopes(48, 64))[1].tobytes()
    expected = decode_image(whole)
    without = whole
    while (at := without.find(b"\xff\xc4")) >= 0:
        length = int.from_bytes(without[at + 2 : at + 4], "big")
        without = without[:at] + without[at + 2 + length :]
    for frame in (whole, whole[:-2], without, without[:-2]):
        assert np.array_equal(decode_frame(frame), expected)
    for frame in (
        b"",
        whole[: len(whole) // 2],
        whole[2:],
        whole.replace(b"\xff\xda", b"\xff\xd9"),
    ):
        with pytest.raises(UnreadableImageError, match="the frame"):
            decode_frame(frame)


def test_restart_markers_out_of_order_are_damage() -> None:
    jpeg = encoded(slopes(120, 160), "JPEG restarts")
    first, second = jpeg.index(b"\xff\xd1"), jpeg.index(b"\xff\xd2")
    with pytest.raises(UnreadableImageError, match="restart markers"):
        decode_image(jpeg[:first] + jpeg[second:])


def test_a_quantisation_table_with_zeros_is_damage() -> None:
    jpeg = bytearray(stored("baseline_420.jpg"))
    at = jpeg.index(b"\xff\xdb")
    jpeg[at + 20 : at + 30] = bytes(10)
    with pytest.raises(UnreadableImageError, match="quantisation table"):
        decode_image(bytes(jpeg))


def test_black_in_a_bmp_is_no_damage() -> None:
    soft = drawn(np.random.default_rng(3))
    bar, box, below = soft.copy(), soft.copy(), soft.copy()
    bar[:40], box[30:80, 40:100], below[70:] = 0, 0, 0
    below[60:70, 80:] = 0
    turn = cv2.getRotationMatrix2D((80, 60), 1, 1)
    for image in (bar, box, below, cv2.warpAffine(bar, turn, (160, 120))):
        assert np.array_equal(decode_image(bmp(image)), image)
