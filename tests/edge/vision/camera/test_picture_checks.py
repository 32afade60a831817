from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from edge.core.images.image_file import Image
from edge.flow import PictureFault, PictureFaultKind
from edge.vision.camera.picture_checks import PictureChecker, even_colour

FIRST, REPEATED, FROZEN, BLANK, TORN, RESIZED = (
    PictureFaultKind(name) for name in ("first", "repeated", "frozen", "blank", "torn", "resized")
)
HEIGHT, WIDTH = 120, 160
RNG = np.random.default_rng(7)
SCENE = cv2.resize(
    RNG.integers(90, 170, (9, 12, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
)


def live(scale: float = 1.0) -> Image:
    """A picture of a still scene, with a sensor's noise."""
    noise = RNG.normal(0, 2, SCENE.shape)
    return np.clip(scale * SCENE + noise, 0, 255).astype(np.uint8)


def even(level: float, noise: float) -> Image:
    return np.clip(RNG.normal(level, noise, SCENE.shape), 0, 255).astype(np.uint8)


def faults(pictures: list[Image], *, rate: float = 10.0) -> Iterator[PictureFault | None]:
    judge = PictureChecker(frozen_seconds=2)
    for index, picture in enumerate(pictures):
        yield judge.look(picture, index / rate)


def kinds(pictures: list[Image], *, rate: float = 10.0) -> list[PictureFaultKind | None]:
    return [fault.kind if fault else None for fault in faults(pictures, rate=rate)]


def test_a_still_scene_with_noise_is_live_but_nobody_knows_it_of_the_first_picture() -> None:
    assert kinds([live() for _ in range(60)]) == [FIRST] + [None] * 59


def test_the_same_picture_is_frozen_after_two_seconds_and_repeated_before() -> None:
    still = live()
    found = list(faults([live(), *[still.copy() for _ in range(25)], live()]))
    assert [fault.kind if fault else None for fault in found] == (
        [FIRST, None] + [REPEATED] * 19 + [FROZEN] * 5 + [None]
    )
    assert [fault.lasting for fault in found if fault] == [False] * 20 + [True] * 5
    assert "exactly the same picture for 2 s" in str(found[-2])


def test_a_camera_that_is_frozen_from_the_start_never_gives_a_good_picture() -> None:
    still = live()
    assert None not in kinds([still] * 110, rate=15)


def test_a_camera_that_gives_each_picture_twice_is_not_frozen() -> None:
    pictures = [picture for _ in range(40) for picture in [live()] * 2]
    assert set(kinds(pictures)[1:]) == {None, REPEATED}


def test_one_pixel_that_changes_is_enough() -> None:
    pictures = [live()]
    for index in range(40):
        pictures.append(pictures[-1].copy())
        pictures[-1][index, index + 1] ^= 1
    assert kinds(pictures)[1:] == [None] * 40


def test_a_station_may_say_that_its_stream_repeats_pictures() -> None:
    judge, still = PictureChecker(frozen_seconds=0), live()
    assert [judge.look(still, second) for second in range(5)] == [None] * 5


@pytest.mark.parametrize(
    ("picture", "colour"),
    [
        (even(0, 0), "dark"),
        (even(6, 3), "dark"),  # a cap on the lens: noise is nothing to be seen
        (even(255, 0), "bright"),
        (even(128, 0), "grey"),
        (np.full_like(SCENE, (0, 135, 0)), "coloured"),  # a buffer of zeros, in YUV
        (live(), None),
        (live(0.03), None),  # at night
        (even(240, 1) - (SCENE // 40), None),  # a white board, and its light is not quite even
    ],
)
def test_a_picture_without_anything_on_it_is_told_by_its_colour(
    picture: Image, colour: str | None
) -> None:
    assert even_colour(picture) == colour
    assert kinds([live(), picture])[1] is (BLANK if colour else None)


def half(kind: str) -> Image:
    picture = live()
    if kind == "grey":
        picture[HEIGHT // 2 :] = 128
    elif kind == "green":
        picture[HEIGHT // 2 :] = (0, 135, 0)
    elif kind == "last row repeated":
        picture[HEIGHT // 2 :] = picture[HEIGHT // 2]
    elif kind == "band":
        picture[40:60] = picture[40]
    else:  # what is clipped may be a dark or a bright place
        picture[HEIGHT // 2 :] = int(kind)
    return picture


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("grey", TORN),
        ("green", TORN),
        ("last row repeated", TORN),
        ("band", TORN),
        ("0", None),
        ("255", None),
    ],
)
def test_rows_that_repeat_each_other_were_never_taken(
    kind: str, fault: PictureFaultKind | None
) -> None:
    assert kinds([live(), half(kind), live()]) == [FIRST, fault, None]


def test_a_jpeg_whose_half_was_filled_is_torn_though_it_meets_the_other_half_softly() -> None:
    pictures = [live() for _ in range(30)]
    for picture in pictures[1:]:
        picture[HEIGHT // 2 - 5 :] = 128  # not where blocks end, so that colours run over
    found = kinds([cv2.imdecode(cv2.imencode(".jpg", x)[1], cv2.IMREAD_COLOR) for x in pictures])
    assert found == [FIRST] + [TORN] * 29


def test_half_a_picture_left_over_from_the_one_before_is_torn_where_all_changes_otherwise() -> None:
    pictures = [live() for _ in range(40)]
    pictures[20][60:] = pictures[19][60:]  # not known yet to be a camera that has noise
    pictures.extend(live() for _ in range(20))
    pictures[-1][60:] = pictures[-2][60:]
    found = kinds(pictures)
    assert set(found[1:-1]) == {None}
    assert found[-1] is TORN


def test_a_drawn_scene_without_noise_is_not_torn() -> None:
    belt = np.full((HEIGHT, WIDTH, 3), (80, 90, 100), np.uint8)
    pictures = []
    for left in range(60):
        pictures.append(belt.copy())
        pictures[-1][30:60, left : left + 40] = (20, 60, 200)
    assert kinds(pictures)[1:] == [None] * 59


def test_another_size_is_a_fault_until_it_is_as_at_the_start_even_if_it_was_opened_anew() -> None:
    judge = PictureChecker(frozen_seconds=2)
    small = [np.ascontiguousarray(live()[::2, ::2]) for _ in range(3)]
    judge.look(live(), 0)
    judge.forget()
    found = [judge.look(picture, second) for second, picture in enumerate([*small, live()])]
    assert [fault.kind if fault else None for fault in found] == [RESIZED] * 3 + [None]
    assert "80x60 pixels now, but gave 160x120" in str(found[0])


def test_a_fault_lasts_when_no_good_picture_has_come_for_half_a_second() -> None:
    dark = even(0, 0)
    found = list(faults([live(), dark, live(), *[dark] * 8]))
    assert [fault.lasting for fault in found if fault] == [False] * 2 + [False] * 5 + [True] * 3


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (5, 3), (4, 700)])
def test_any_size_can_be_judged(size: tuple[int, int]) -> None:
    pictures = [RNG.integers(0, 256, (*size, 3), np.uint8) for _ in range(40)]
    assert kinds(pictures)[0] in (FIRST, BLANK)
