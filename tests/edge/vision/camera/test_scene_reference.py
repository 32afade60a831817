"""The reference picture of a camera's scene: taken at set-up, and compared from the start on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.core.errors import CameraError, UnreadableImageError
from edge.core.images.image_file import Image
from edge.flow import Frame, PictureFault, PictureFaultKind, UnreadableFrame
from edge.simulation.belt.scene import Scene
from edge.vision.camera.scene_checks import (
    EVERY_SECONDS,
    LEARNT,
    SceneChange,
    SceneChecker,
    recognisable,
    reduced,
    reference_of,
)
from edge.vision.camera.scene_reference import read_reference, take_reference, write_reference
from tests.edge.vision.camera.test_scene_checks import (
    PLAIN,
    SCENE,
    belt,
    blurred,
    covered,
    item,
    lit,
    moved,
    shot,
)

Shown = Callable[[Image, float], Image]


class Live:
    """A live camera whose pictures are made by a function of the time, with some faults."""

    live, closed = True, False

    def __init__(self, shown: Callable[[float], Image], *, last: float = 60.0) -> None:
        self._shown, self._last, self._now = shown, last, 0.0

    def read(self) -> Frame | UnreadableFrame | None:
        self._now += 0.05
        number = round(self._now / 0.05)
        if self._now > self._last:
            return None
        if number % 7 == 0:
            return UnreadableFrame(self._now, number, "", "damaged")
        fault = PictureFault(PictureFaultKind.TORN) if number % 5 == 0 else None
        image = PLAIN if fault else self._shown(self._now)
        return Frame(image, self._now, number, fault=fault)

    def close(self) -> None:
        self.closed = True


def taken(shown: Callable[[float], Image], **more: Any) -> Image:
    camera: Any = Live(shown, **more)
    settings: Any = type("Settings", (), {"kind": "fake", "open": lambda self, **_: camera})()
    try:
        return take_reference(settings)
    finally:
        assert camera.closed


def said(reference: Image, shown: Callable[[float], Image], seconds: float = 5.0) -> list[Any]:
    checker = SceneChecker(reference)
    times = np.arange(0, seconds, EVERY_SECONDS)
    return [checker.look(shown(float(at)), float(at)) for at in times]


@pytest.fixture(scope="module")
def reference() -> Image:
    return taken(lambda at: shot(SCENE))


def test_the_picture_is_the_scene_without_its_noise(reference: Image) -> None:
    assert reference.shape == (180, 240, 4)
    assert np.abs(reference[:, :, :3].astype(int) - reduced(SCENE)).mean() < 2
    assert (reference[:, :, 3] == 255).mean() > 0.99
    assert recognisable(reference) > 0.9


@pytest.mark.parametrize(
    ("change", "what"),
    [(moved, SceneChange.MOVED), (blurred, SceneChange.BLURRED), (covered, SceneChange.COVERED)],
)
def test_what_happened_before_the_start_is_named_within_two_seconds_of_it(
    reference: Image, change: Shown, what: SceneChange
) -> None:
    found = said(reference, lambda at: shot(change(SCENE, at)))
    assert found[round(2 / EVERY_SECONDS) :] == [what] * round(3 / EVERY_SECONDS)


@pytest.mark.parametrize("change", [lambda scene, at: scene, lit, item])
def test_the_same_scene_with_other_light_and_an_item_is_the_same(
    reference: Image, change: Shown
) -> None:
    assert set(said(reference, lambda at: shot(change(SCENE, at)))) == {None}


def test_over_a_belt_with_a_pattern_between_what_stays_nothing_is_said_but_what_is_so() -> None:
    """The belt is the lower two thirds of the picture, and stands elsewhere at each start."""

    def machine(at: float) -> Image:
        image = SCENE.copy()
        image[80:] = belt(SCENE, at)[80:]
        return shot(image)

    found = taken(machine)
    assert (found[80:, :, 3] == 0).mean() > 0.5  # the belt is transparent
    assert (found[:50, :, 3] == 255).mean() > 0.99
    assert set(said(found, lambda at: machine(at + 777.7))) == {None}
    away = said(found, lambda at: np.roll(machine(at), (45, 61), (0, 1)))
    assert away[-1] is SceneChange.MOVED


def test_over_the_drawn_belt_nothing_is_said() -> None:
    random = np.random.default_rng(3)
    scene = Scene(random=random)

    def view(at: float) -> Image:
        return scene.view((), moved=round(190 * at), random=random)

    empty = reference_of([reduced(view(number * EVERY_SECONDS)) for number in range(LEARNT)])
    assert set(said(empty, lambda at: view(at + 1000.3), seconds=30)) == {None}


def test_a_plain_scene_cannot_be_recognised() -> None:
    assert recognisable(taken(lambda at: shot(PLAIN))) == 0


def test_a_camera_that_ends_too_soon_or_reads_files_gives_none() -> None:
    with pytest.raises(CameraError, match="too few pictures"):
        taken(lambda at: shot(SCENE), last=3.0)
    stored: Any = type("Stored", (Live,), {"live": False})(lambda at: SCENE)
    settings: Any = type("Settings", (), {"kind": "folder", "open": lambda self, **_: stored})()
    with pytest.raises(CameraError, match=r"\(kind: folder\) reads stored pictures"):
        take_reference(settings)


def test_it_is_read_as_it_was_written(reference: Image, tmp_path: Path) -> None:
    write_reference(tmp_path / "reference.png", reference)
    assert np.array_equal(read_reference(tmp_path / "reference.png"), reference)


def test_what_is_no_reference_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match="is not there: `pilah-edge roi --reference`"):
        read_reference(tmp_path / "none.png")
    cv2.imwrite(str(tmp_path / "photograph.png"), SCENE)
    (tmp_path / "text.png").write_text("a")
    for name in ("photograph.png", "text.png"):
        with pytest.raises(UnreadableImageError, match="is no reference picture"):
            read_reference(tmp_path / name)
