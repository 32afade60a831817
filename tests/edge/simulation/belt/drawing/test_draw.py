from __future__ import annotations

import numpy as np
import pytest

from edge.simulation.belt import LABELS
from edge.simulation.belt.drawing.draw import draw_item, photograph
from edge.simulation.belt.scene import Scene
from edge.simulation.belt.sprite import box_of

HEIGHT = 120


def seeded(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("label", LABELS)
def test_the_same_state_draws_the_same_item_and_another_state_another(label: str) -> None:
    first, again, other = (
        draw_item(label, random=seeded(seed), height=HEIGHT) for seed in (1, 1, 2)
    )
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.alpha, again.alpha)
    assert np.array_equal(first.shadow, again.shadow)
    assert first.size != other.size or not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("seed", range(6))
def test_an_item_is_whole_of_a_fair_size_and_casts_a_shadow(label: str, seed: int) -> None:
    item = draw_item(label, random=seeded(seed), height=HEIGHT)
    box, (width, height) = item.box, item.size
    assert box.left > 0
    assert box.left + box.width < width
    assert box.top > 0
    assert box.top + box.height < height
    assert 0.15 * HEIGHT < max(box.width, box.height) < 0.95 * HEIGHT
    assert item.image[item.alpha > 200].std() > 4  # form, not a flat patch
    rows, columns = np.indices(item.shadow.shape)
    beside = item.shadow * (item.alpha < 20)
    assert beside.any()
    # The lamp is at the upper left.
    assert np.average(columns, weights=beside) > box.left + box.width / 2
    assert np.average(rows, weights=beside) > box.top + box.height / 2


@pytest.mark.parametrize("label", LABELS)
def test_an_item_is_drawn_alike_at_every_size_of_the_view(label: str) -> None:
    small = draw_item(label, random=seeded(3), height=80).box
    large = draw_item(label, random=seeded(3), height=240).box
    assert large.width == pytest.approx(3 * small.width, abs=6)
    assert large.height == pytest.approx(3 * small.height, abs=6)


def test_a_label_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one of bottle, .*Received: 'shoe'"):
        draw_item("shoe", random=seeded(1))


@pytest.mark.parametrize("seed", range(4))
def test_the_box_of_a_photograph_is_that_of_the_item_in_it(seed: int) -> None:
    # Green is on no belt of this colour, in no shadow on it, and in all of white paper and card.
    scene = Scene(
        random=seeded(0), width=160, height=HEIGHT, background=(255, 0, 255), noise_levels=0, blur=1
    )
    image, box = photograph(
        "paper_ball", random=seeded(seed), width=160, height=HEIGHT, scene=scene
    )
    assert image.shape == (HEIGHT, 160, 3)
    found = box_of(np.where(image[:, :, 1] > 40, 255, 0).astype(np.uint8))
    assert found == pytest.approx(box, abs=2)
    assert abs(box.left + box.width / 2 - 80) < 0.1 * 160


@pytest.mark.parametrize("label", LABELS)
def test_items_lie_between_the_rails_near_the_middle_of_the_belt(label: str) -> None:
    scene = Scene(random=seeded(0), width=160, height=HEIGHT)
    places = set()
    for seed in range(6):
        _, box = photograph(label, random=seeded(seed), width=160, height=HEIGHT, scene=scene)
        assert scene.margin <= box.top
        assert box.top + box.height <= HEIGHT - scene.margin
        middle = box.top + box.height / 2
        assert abs(middle - HEIGHT / 2) <= 0.12 * HEIGHT + 1
        places.add((round(middle), box.left + box.width // 2))
    assert len(places) > 3


def test_a_photograph_is_the_same_for_the_same_state_also_without_a_scene() -> None:
    one, box = photograph("can", random=seeded(5), width=160, height=HEIGHT)
    other, same = photograph("can", random=seeded(5), width=160, height=HEIGHT)
    assert np.array_equal(one, other)
    assert box == same


def test_a_scene_of_another_size_is_refused() -> None:
    scene = Scene(random=seeded(0), width=160, height=HEIGHT)
    with pytest.raises(ValueError, match=r"must be 640x480 pixels. Received: 160x120"):
        photograph("can", random=seeded(1), scene=scene)
