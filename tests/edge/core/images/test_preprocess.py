"""A picture becomes the tensor that its spec describes."""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from edge.core.images.preprocess import Box, InputSpec, preprocess
from tests.edge.core.images.awkward import noise

RED_BGR = (10, 20, 200)


def plain(height: int, width: int, bgr: tuple[int, int, int] = RED_BGR) -> np.ndarray:
    return np.full((height, width, 3), bgr, np.uint8)


def halves(height: int, width: int) -> np.ndarray:
    """Left half black, right half white."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, width // 2 :] = 255
    return image


def test_the_tensor_is_rgb_and_raw() -> None:
    tensor = preprocess(plain(50, 50), InputSpec(height=16, width=16))
    assert tensor.dtype == np.uint8
    assert (tensor == RED_BGR[::-1]).all()


def test_a_picture_of_the_tensors_own_size_is_only_reordered() -> None:
    image = noise(40, 56)
    for geometry in ("letterbox", "squash", "center_crop"):
        spec = InputSpec(height=40, width=56, geometry=geometry)
        assert np.array_equal(preprocess(image, spec), image[:, :, ::-1])


def test_grey_is_rec_601_luma() -> None:
    # ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B; 8-bit weights are right within one level.
    image = noise(64, 64)
    blue, green, red = (image[:, :, c].astype(float) for c in range(3))
    expected = 0.299 * red + 0.587 * green + 0.114 * blue
    tensor = preprocess(image, InputSpec(height=64, width=64, channels=1))
    assert tensor.shape == (64, 64, 1)
    assert np.abs(tensor[:, :, 0] - expected).max() <= 1.5


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_grey_of_grey_is_the_same_level(level: int) -> None:
    tensor = preprocess(
        plain(20, 20, (level, level, level)), InputSpec(height=8, width=8, channels=1)
    )
    assert (tensor == level).all()


@pytest.mark.parametrize(
    ("height", "width", "bars"),
    [
        (100, 200, (slice(0, 8), slice(None))),  # wide: bars above and below
        (200, 100, (slice(None), slice(0, 8))),  # tall: bars left and right
    ],
)
def test_letterbox_keeps_the_whole_picture_and_its_shape(
    height: int, width: int, bars: tuple[slice, slice]
) -> None:
    spec = InputSpec(height=32, width=32, fill=77)
    tensor = preprocess(plain(height, width), spec)
    assert (tensor[bars] == 77).all()
    assert (tensor == 77).all(axis=2).sum() == 32 * 16
    assert (tensor[8:24, 8:24] == RED_BGR[::-1]).all()


def test_bars_are_written_anew_into_a_used_buffer() -> None:
    spec = InputSpec(height=32, width=32)
    out = np.full(spec.shape, 3, np.uint8)
    assert preprocess(plain(10, 40), spec, out=out) is out
    assert np.array_equal(out, preprocess(plain(10, 40), spec))


def test_squash_stretches_the_whole_picture() -> None:
    tensor = preprocess(halves(40, 160), InputSpec(height=32, width=32, geometry="squash"))
    assert (tensor[:, :15] == 0).all()
    assert (tensor[:, 17:] == 255).all()


def test_center_crop_takes_the_middle() -> None:
    image = plain(40, 160, (0, 0, 0))
    image[:, 60:100] = 255
    tensor = preprocess(image, InputSpec(height=32, width=32, geometry="center_crop"))
    assert (tensor == 255).all()


def test_an_item_is_cut_out_with_room_around_it() -> None:
    image = plain(100, 100, (0, 0, 0))
    image[40:60, 30:50] = 255
    spec = InputSpec(height=48, width=48, crop="item", padding=0.1)
    tensor = preprocess(image, spec, box=Box(left=30, top=40, width=20, height=20))
    # 20 pixels of item and 2 of room on each side, in 48: 40 white rows and columns.
    assert (tensor[24, :, 0] > 127).sum() == 40
    assert (tensor[:, 24, 0] > 127).sum() == 40


def test_an_items_box_is_nothing_to_a_model_of_regions() -> None:
    image = noise(60, 80)
    spec = InputSpec(height=32, width=32)
    boxed = preprocess(image, spec, box=Box(5, 5, 10, 10))
    assert np.array_equal(boxed, preprocess(image, spec))


@pytest.mark.parametrize(
    "box",
    [Box(-50, -50, 60, 60), Box(90, 90, 500, 500), Box(500, 500, 5, 5), Box(-9, -9, 3, 3),
     Box(20, 20, 0, 0)],
)  # fmt: skip
def test_a_box_beyond_the_picture_is_cut_to_it(box: Box) -> None:
    spec = InputSpec(height=32, width=32, crop="item", padding=0)
    assert preprocess(noise(100, 100), spec, box=box).shape == (32, 32, 3)


def test_fine_stripes_shrink_to_grey_and_do_not_alias() -> None:
    stripes = np.zeros((640, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    tensor = preprocess(stripes, InputSpec(height=64, width=64))
    assert np.abs(tensor.astype(int) - 128).max() <= 1


@pytest.mark.parametrize(("height", "width", "wide"), [(1080, 1920, 4), (720, 1280, 2)])
@pytest.mark.parametrize("turned", [False, True])
def test_stripes_do_not_alias_where_one_side_is_shrunk_more_than_the_other(
    height: int, width: int, wide: int, turned: bool
) -> None:
    # As wide as both sides are shrunk alike: only what the longer one is shrunk by then mixes them.
    stripes = np.zeros((height, width, 3), np.uint8)
    stripes[:, (np.arange(width) // wide) % 2 == 1] = 255
    stripes = stripes.transpose(1, 0, 2) if turned else stripes
    tensor = preprocess(stripes, InputSpec(height=224, width=224, geometry="squash"))
    assert np.abs(tensor.astype(int) - 128).max() <= 1


@pytest.mark.parametrize(
    ("height", "width", "mean"), [(672, 672, 85), (448, 672, 85), (1344, 672, 85), (896, 448, 128)]
)
def test_a_multiple_of_the_tensors_size_becomes_the_mean_of_its_blocks(
    height: int, width: int, mean: int
) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, :: width // 224] = 255
    tensor = preprocess(image, InputSpec(height=224, width=224, geometry="squash"))
    assert (np.abs(tensor.astype(int) - mean) <= 1).all()


@pytest.mark.parametrize("geometry", ["letterbox", "squash", "center_crop"])
@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 900), (900, 1), (3, 500), (33, 31), (223, 225), (2, 70)]
)
def test_any_size_fits(height: int, width: int, geometry: str) -> None:
    spec = InputSpec(height=32, width=40, geometry=geometry)
    tensor = preprocess(plain(height, width), spec)
    inside = (tensor == RED_BGR[::-1]).all(axis=2)
    bars = (tensor == spec.fill).all(axis=2)
    assert (inside | bars).all(), "nothing but the picture and the bars"
    assert inside.any()


def test_the_picture_given_is_left_alone() -> None:
    image = noise(100, 130)
    before = image.copy()
    tensor = preprocess(image, InputSpec(height=100, width=130))
    tensor[...] = 0
    assert np.array_equal(image, before)


def test_a_view_gives_the_same_as_its_copy() -> None:
    frame = noise(300, 400)
    region = frame[20:220, 50:350]
    spec = InputSpec(height=64, width=64)
    assert np.array_equal(preprocess(region, spec), preprocess(region.copy(), spec))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
    ids=["grey", "four channels", "float", "no rows"],
)
def test_another_kind_of_array_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"image must be uint8 \(height, width, 3\)\. Received"):
        preprocess(image, InputSpec())


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((32, 32, 1), np.uint8),
        np.zeros((32, 32, 3), np.float32),
        np.zeros((32, 64, 3), np.uint8)[:, ::2],
    ],
    ids=["shape", "dtype", "strides"],
)
def test_another_buffer_is_refused(out: np.ndarray) -> None:
    with pytest.raises(ValueError, match="out must be contiguous uint8"):
        preprocess(plain(10, 10), InputSpec(height=32, width=32), out=out)


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 0},
        {"width": 5000},
        {"channels": 4},
        {"geometry": "stretch"},
        {"crop": "box"},
        {"padding": -0.1},
        {"fill": 256},
        {"mean": [0.5, 0.5, 0.5]},
    ],
)
def test_a_spec_that_names_something_unknown_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InputSpec(**wrong)


@pytest.mark.slow  # a measurement, which other work on the machine can spoil
def test_a_camera_frame_takes_less_time_than_an_ordinary_area_shrink() -> None:
    frame, spec = noise(480, 640), InputSpec()
    out = np.empty(spec.shape, np.uint8)

    def fastest(work: Callable[[], object]) -> float:
        times = []
        for _ in range(50):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return min(times)

    ours = fastest(lambda: preprocess(frame, spec, out=out))
    plain = fastest(lambda: cv2.resize(frame, (224, 168), interpolation=cv2.INTER_AREA))
    # Measured: a quarter of it on x86-64.
    assert ours < plain
