from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.images.image_file import Image, read_image
from edge.simulation.belt.cutout import background_of, cut_out

HEIGHT, WIDTH = 240, 320


def board(*, seed: int = 1, color: tuple[int, int, int] = (200, 205, 210)) -> Image:
    """A board under uneven light, with the noise of a camera."""
    ramp = np.linspace(-12, 12, WIDTH)[None, :] + np.linspace(-8, 8, HEIGHT)[:, None]
    noise = np.random.default_rng(seed).normal(0, 2, (HEIGHT, WIDTH, 3))
    return np.clip(np.array(color) + ramp[..., None] + noise, 0, 255).astype(np.uint8)


def with_disc(image: Image, color: tuple[int, int, int] = (30, 60, 180)) -> tuple[Image, Image]:
    """(a photograph of a disc in soft shadow, where the disc is)."""
    disc = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(disc, (150, 125), (60, 45), 20, 0, 360, 255, -1, cv2.LINE_AA)
    shadow = cv2.GaussianBlur(np.roll(disc, (10, 12), (0, 1)), (0, 0), 6).astype(np.float32) / 255
    under = image * (1 - 0.3 * shadow)[..., None]
    share = disc[..., None].astype(np.float32) / 255
    photograph = under + (np.array(color) - under) * share
    return np.clip(photograph, 0, 255).astype(np.uint8), disc


@pytest.mark.parametrize("color", [(30, 60, 180), (60, 140, 60), (40, 40, 40), (240, 150, 60)])
def test_an_item_on_a_board_is_cut_out_along_its_edge(color: tuple[int, int, int]) -> None:
    photograph, disc = with_disc(board(), color)
    sprite, cut = cut_out(photograph, height=HEIGHT)
    assert cut
    found, true = sprite.alpha > 127, disc > 127
    assert (found & true).sum() / (found | true).sum() > 0.94


def test_its_own_shadow_comes_along_and_the_light_on_the_board_does_not() -> None:
    photograph, disc = with_disc(board())
    shadow = cut_out(photograph, height=HEIGHT)[0].shadow.astype(float)
    outside = disc == 0
    below, above = np.zeros_like(outside), np.zeros_like(outside)
    below[135:190, 180:225], above[60:110, 80:110] = True, True
    assert shadow[below & outside].mean() > 8 * max(shadow[above & outside].mean(), 1)
    assert shadow[:30].max() < 5


def test_the_same_photograph_is_always_cut_alike() -> None:
    photograph, _ = with_disc(board())
    one, other = (cut_out(photograph, height=HEIGHT)[0] for _ in range(2))
    assert np.array_equal(one.image, other.image)
    assert np.array_equal(one.alpha, other.alpha)


def test_the_item_keeps_its_colours() -> None:
    photograph, _ = with_disc(board())
    assert np.array_equal(cut_out(photograph, height=HEIGHT)[0].image, photograph)


@pytest.mark.parametrize("what", ["nothing", "speck", "all", "two boards", "noise"])
def test_where_there_is_no_item_to_cut_the_photograph_is_laid_on_whole(what: str) -> None:
    photograph = board()
    if what == "speck":
        photograph[100:106, 100:106] = 0
    elif what == "all":
        photograph = with_disc(board(color=(120, 160, 190)))[0]
        photograph[:, :200] = (40, 80, 20)
        photograph[:90, 150:] = (200, 30, 120)
    elif what == "two boards":
        photograph[:, 160:] = board(color=(120, 120, 220))[:, 160:]
    elif what == "noise":
        photograph = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    sprite, cut = cut_out(photograph, height=HEIGHT)
    assert not cut
    assert sprite.alpha[30:-30, 30:-30].min() == 255
    assert sprite.alpha[0].max() < 60  # feathered
    assert not sprite.shadow.any()


@pytest.mark.parametrize(("height", "size"), [(120, (160, 120)), (480, (640, 480))])
def test_a_photograph_gets_the_height_asked_for(height: int, size: tuple[int, int]) -> None:
    sprite, cut = cut_out(with_disc(board())[0], height=height)
    assert cut
    assert sprite.size == size
    box = sprite.box
    scale = height / HEIGHT
    assert box.width / scale == pytest.approx(118, abs=8)


def test_the_background_is_the_usual_colour_along_the_borders() -> None:
    photographs = [board(seed=seed) for seed in range(4)] + [board(color=(10, 60, 200))]
    assert background_of(photographs) == pytest.approx((200, 205, 210), abs=4)


def test_real_photographs_are_mostly_cut_and_what_is_cut_is_not_a_scrap(shared: Path) -> None:
    files = sorted((shared / "data" / "trashnet").glob("*/*.jpg"))
    chosen = np.random.default_rng(1).permutation(len(files))[:12]
    boxes = []
    for index in chosen:
        photograph = read_image(files[index])
        sprite, cut = cut_out(photograph, height=photograph.shape[0])
        if cut:
            boxes.append(sprite.box)
            assert 0.01 < sprite.alpha.mean() / 255 < 0.95, files[index]
    assert len(boxes) >= 5
    assert np.mean([box.width * box.height for box in boxes]) > 0.1 * 341 * 256
