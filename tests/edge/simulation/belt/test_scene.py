from __future__ import annotations

import numpy as np
import pytest

from edge.simulation.belt.scene import PlacedLayer, Scene
from edge.simulation.belt.sprite import SpriteLayer
from edge.vision.camera.picture_checks import even_colour
from tests.edge.simulation.belt.things import plate

SIZE = {"width": 160, "height": 120}


def test_the_belt_moves_to_the_right_and_comes_round_without_a_step() -> None:
    scene = Scene(random=np.random.default_rng(1), background=(90, 90, 90), noise_levels=0, **SIZE)
    random = np.random.default_rng(2)
    first, later = (scene.view(moved=moved, random=random) for moved in (0, 7))
    assert np.array_equal(first[:, :-7], later[:, 7:])
    assert not np.array_equal(first, later)
    assert np.array_equal(first, scene.view(moved=2 * 160, random=random))


def test_a_drawn_belt_continues_at_its_end_as_it_does_elsewhere() -> None:
    scene = Scene(random=np.random.default_rng(1), noise_levels=0, **SIZE)
    wide = [scene.view(moved=-x, random=np.random.default_rng(0))[:, 80] for x in range(320)]
    belt = np.stack(wide).astype(float)[:, 10:-10]
    steps = np.abs(np.diff(belt, axis=0, append=belt[:1])).mean(axis=(1, 2))
    where = int(np.argmax(steps))
    # The largest step is the joint, which is drawn, and not where the strip begins again.
    assert steps[160 + 79] < 3 * np.median(steps), where


def test_an_item_hides_the_belt_and_what_reaches_out_of_view_is_cut_off() -> None:
    scene = Scene(random=np.random.default_rng(1), background=(90, 90, 90), noise_levels=0, **SIZE)
    layer = SpriteLayer(plate(40, 30, color=(10, 200, 30)))
    for left, top in ((50, 40), (-25, 40), (150, 100), (-40, 0), (160, 0)):
        frame = scene.view(
            [PlacedLayer(layer, left, top)], moved=0, random=np.random.default_rng(0)
        )
        seen = (frame == (10, 200, 30)).all(axis=2)
        expected = np.zeros((120, 160), bool)
        expected[top : top + 30, max(left, 0) : max(left + 40, 0)] = True
        assert np.array_equal(seen, expected)


def test_noise_has_the_strength_asked_for_and_differs_from_frame_to_frame() -> None:
    scene = Scene(random=np.random.default_rng(1), background=(90, 90, 90), noise_levels=4, **SIZE)
    quiet = Scene(random=np.random.default_rng(1), background=(90, 90, 90), noise_levels=0, **SIZE)
    random = np.random.default_rng(3)
    one, other = (scene.view(moved=0, random=random).astype(float) for _ in range(2))
    calm = quiet.view(moved=0, random=random)
    assert not np.array_equal(one, other)
    assert (one - calm).std() == pytest.approx(4, rel=0.1)
    assert (one - calm).mean() == pytest.approx(0, abs=0.1)


def test_motion_blur_is_as_long_as_the_way_that_the_belt_moves() -> None:
    edges = []
    for blur in (1, 9):
        layer = SpriteLayer(plate(60, 30, color=(0, 0, 0)), blur=blur)
        scene = Scene(
            random=np.random.default_rng(1), background=(200, 200, 200), noise_levels=0, **SIZE
        )
        place = PlacedLayer(layer, 50 - layer.box.left, 40)
        row = scene.view([place], moved=0, random=np.random.default_rng(0))[50, :, 0]
        edges.append(int(((row > 20) & (row < 180)).sum()))
    sharp, blurred = edges
    assert sharp == 0
    assert blurred == pytest.approx(2 * 9, abs=5)


@pytest.mark.parametrize("colour", [(255, 255, 255), (240, 240, 239), (90, 90, 90), (138, 90, 42)])
def test_an_empty_plain_belt_under_a_lens_is_not_taken_for_a_covered_one(
    colour: tuple[int, int, int],
) -> None:
    random = np.random.default_rng(1)
    scene = Scene(random=random, background=colour, noise_levels=1, corners=0.06)
    assert even_colour(scene.view(moved=0, random=random)) is None
    even = Scene(random=random, background=colour, noise_levels=1)
    assert even_colour(even.view(moved=0, random=random)) is not None
