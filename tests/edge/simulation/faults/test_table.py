"""The list of `--faults`, and what each fault does."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.errors import UsageError
from edge.core.images.image_file import Image
from edge.simulation.belt.camera import Settings
from edge.simulation.belt.motion import BeltMotion
from edge.simulation.faults.fault import PassingFault
from edge.simulation.faults.table import FAULTS, Faults, fault_lines, read_faults
from edge.vision.camera.picture_checks import even_colour
from edge.vision.camera.reopening import CapturedPicture

ORDER = Settings.model_validate({"kind": "belt"}).order()


def begun(text: str) -> Faults:
    return Faults(read_faults(text), seed=1)


def shown(text: str, moments: list[float]) -> list[int]:
    """The level of each picture of 100 as the faults have it; -1 of a damaged one."""
    faults = begun(text)
    levels: list[int] = []
    for moment in moments:
        image = np.full((4, 4, 3), 100, np.uint8)
        picture = faults.picture(CapturedPicture(image, moment))
        levels.append(-1 if picture.image is None else int(picture.image[0, 0, 0]))
    return levels


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("", [100, 100]),
        ("damaged:every=0", [-1, -1]),
        ("black:every=0", [0, 0]),
        ("light:every=0:factor=0.5", [50, 50]),
        ("light:every=0:factor=9", [255, 255]),
        ("light:every=0:factor=0.5,light:every=0:factor=0.5", [25, 25]),
        ("camera-gone:every=0", [100, 100]),
    ],
)
def test_what_becomes_of_a_picture(text: str, levels: list[int]) -> None:
    assert shown(text, [0.0, 5.0]) == levels


def test_a_covered_lens_lets_a_little_light_past_and_the_sensor_has_its_noise() -> None:
    faults, white = begun("covered:at=1:seconds=2"), np.full((60, 80, 3), 200, np.uint8)

    def shown_at(moment: float) -> Image:
        picture = faults.picture(CapturedPicture(white, moment)).image
        assert picture is not None
        return picture

    assert shown_at(0.9) is white
    covered = shown_at(1.0)
    assert (covered.dtype, covered.shape) == (np.uint8, (60, 80, 3))
    left, right = covered[:, :20].mean(), covered[:, -20:].mean()
    assert 5 < left < right < 30
    assert even_colour(covered) is None
    assert np.array_equal(covered, shown_at(1.0))
    assert not np.array_equal(covered, shown_at(1.1))


def test_torn_pictures_end_early_and_blurred_ones_lose_their_edges() -> None:
    rows = np.repeat(np.arange(0, 200, 2, np.uint8)[:, None], 100, axis=1)
    sharp = np.repeat(rows[..., None], 3, axis=2)
    torn = begun("torn:every=0:share=0.4").picture(CapturedPicture(sharp, 0.0)).image
    assert torn is not None
    assert np.array_equal(torn[:60], sharp[:60])
    assert (torn[60:] == sharp[60]).all()
    bars = np.zeros((100, 100, 3), np.uint8)
    bars[:, 50:] = 200
    soft = begun("blurred:every=0:share=0.02").picture(CapturedPicture(bars, 0.0)).image
    assert soft is not None
    assert 0 < soft[50, 49, 0] < 100 < soft[50, 50, 0] < 200
    assert (soft[50, 0, 0], soft[50, 99, 0]) == (0, 200)


def test_a_camera_that_was_moved_shows_what_is_beside_its_scene() -> None:
    faults = begun("moved:at=1:seconds=3:share=0.5:swing=1")
    rows = np.arange(100, dtype=np.uint8)[None, :, None]
    scene = np.broadcast_to(rows, (60, 100, 3)).copy()

    def shown_at(moment: float) -> Image:
        image = faults.picture(CapturedPicture(scene, moment)).image
        assert image is not None
        return image

    assert shown_at(0.9) is scene
    half, whole, later = (shown_at(moment) for moment in (1.5, 2.0, 2.5))
    assert np.array_equal(half[:, :75], scene[:, 25:])
    assert np.array_equal(whole[:, :50], scene[:, 50:])
    beside, same = whole[:, 50:].astype(int), later[:, 50:].astype(int)
    assert beside.std() > 20
    assert 0 < np.abs(beside - same).mean() < 4  # the noise of a sensor


def test_an_encoder_is_silent_for_its_time_alone() -> None:
    faults = begun("encoder-silent:at=3:seconds=2")
    assert [at for at in range(8) if faults.encoder_is_silent(at)] == [3, 4]
    assert not faults.ends_station
    assert begun("home-stuck").ends_station


def test_a_frozen_camera_repeats_the_picture_before() -> None:
    faults = begun("frozen:every=10:seconds=5")
    images = []
    for tenth in range(100):
        picture = faults.picture(CapturedPicture(np.full((2, 2, 3), tenth, np.uint8), tenth / 10))
        assert picture.image is not None
        images.append(int(picture.image[0, 0, 0]))
    assert 48 <= len(images) - len(set(images)) <= 52


def test_a_fault_may_occur_once_at_a_known_time() -> None:
    faults = begun("drop-outs:at=7:seconds=2,pause:at=30:seconds=1.5")
    tenths = [tenth / 10 for tenth in range(400)]
    assert [at for at in tenths if faults.camera_hangs(at)] == tenths[70:90]
    assert [at for at in tenths if faults.is_paused(at)] == tenths[300:315]
    assert faults.needs_an_operator
    assert [str(fault) for fault in faults.all] == [
        "drop-outs:seconds=2:at=7", "pause:seconds=1.5:at=30",
    ]  # fmt: skip


def disturbs(faults: Faults, moment: float) -> bool:
    """Whether anything is not as it would be without faults, at a moment."""
    image = np.random.default_rng(round(100 * moment)).integers(40, 200, (40, 40, 3), np.uint8)
    picture = faults.picture(CapturedPicture(image, moment)).image
    belt = BeltMotion(100, faults.belt(ORDER).speeds)
    speed = 50 * (belt.moved(moment + 0.01) - belt.moved(moment - 0.01))
    return any(
        (
            picture is None or not np.array_equal(picture, image),
            faults.camera_hangs(moment),
            faults.camera_is_gone(moment),
            faults.inference_seconds(moment),
            faults.is_pressed(moment),
            faults.is_paused(moment),
            faults.is_full("can", moment),
            faults.is_jammed("can", moment),
            faults.encoder_is_silent(moment),
            faults.write_seconds(moment),
            speed != pytest.approx(100),
        )
    )


@pytest.mark.parametrize(
    "name", [name for name, kind in FAULTS.items() if issubclass(kind, PassingFault)]
)
def test_each_fault_disturbs_from_its_at_for_its_seconds_alone(name: str) -> None:
    faults = begun(f"{name}:at=37:seconds=4")
    moments = [0.25 + half / 2 for half in range(200)]
    found = [moment for moment in moments if disturbs(faults, moment)]
    assert found == [moment for moment in moments if 37 <= moment < 41]


@pytest.mark.parametrize(
    "name", [name for name, kind in FAULTS.items() if issubclass(kind, PassingFault)]
)
def test_two_passing_faults_of_a_kind_both_disturb(name: str) -> None:
    faults = begun(f"{name}:at=37:seconds=4,{name}:at=50:seconds=2,{name}:at=51:seconds=3")
    moments = [0.25 + half / 2 for half in range(200)]
    found = [moment for moment in moments if disturbs(faults, moment)]
    assert found == [moment for moment in moments if 37 <= moment < 41 or 50 <= moment < 54]


def test_a_camera_that_is_gone_cannot_be_opened() -> None:
    faults = begun("camera-gone:every=10:seconds=4")
    gone = sum(faults.camera_is_gone(tenth / 10) for tenth in range(1000))
    assert gone == pytest.approx(400, abs=10)


def test_the_belt_gets_its_touching_items_and_its_other_speed() -> None:
    order = begun("touching:share=0.3,speed:factor=0.5:every=9:seconds=3").belt(ORDER)
    assert order.touching == 0.3
    (speed,) = order.speeds
    assert (speed.factor, speed.every, speed.seconds, speed.at) == (0.5, 9, 3, None)
    speeds = begun("speed:at=3:seconds=2,speed:at=9:factor=0").belt(ORDER).speeds
    assert [(speed.at, speed.factor) for speed in speeds] == [(3, 0.8), (9, 0)]


def test_what_takes_its_time_adds_up() -> None:
    faults = begun("slow-inference:ms=80,slow-inference:ms=20,slow-disk:ms=500")
    assert faults.inference_seconds(3) == pytest.approx(0.1)
    assert faults.usual_inference_seconds == pytest.approx(0.1)
    assert faults.write_seconds(3) == 0.5
    now_and_then = begun("slow-inference:ms=80:every=10")
    assert now_and_then.usual_inference_seconds == 0
    assert begun("slow-inference:ms=80:at=10").usual_inference_seconds == 0
    assert {now_and_then.inference_seconds(tenth / 10) for tenth in range(100)} == {0, 0.08}


def test_contacts_are_as_the_faults_have_them() -> None:
    faults = begun("emergency-stop:every=0,bin-full:every=0:lane=can,jam:every=0")
    assert faults.is_pressed(3)
    assert [faults.is_full(lane, 3) for lane in ("can", "cup")] == [True, False]
    assert faults.is_jammed("cup", 3)
    assert faults.needs_an_operator
    assert not begun("bin-full").needs_an_operator
    assert str(faults.all[1]) == "bin-full:every=0:seconds=15:lane=can"


def test_each_fault_is_read_as_it_is_written() -> None:
    for kind in FAULTS.values():
        assert read_faults(str(kind())) == [kind()]
    assert [line.replace(":", " ").split()[0] for line in fault_lines()] == list(FAULTS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ligth", "no fault 'ligth'. Did you mean light? .`--faults help`"),
        (",", "no fault ''. Known: drop-outs, "),
        ("light,", "no fault ''. Known: drop-outs, "),
        ("light:factor", "takes every=..., seconds=..., at=..., factor=..., fade=..."),
        ("light:facter=1", "Received: 'facter=1'"),
        ("light:factor=x", "light: factor: must be a valid number.*Received: 'light:factor=x'"),
        ("light:factor=-1", "greater than or equal to 0"),
        ("light:every=5:seconds=5", r"every \(5\) must be above seconds \(5\)"),
        ("light:at=5:every=60", "at is for one that occurs once, and every for one that recurs"),
        ("speed:every=0:factor=0", "a belt that stands for the whole run .* brings no item"),
        ("touching:share=2", "less than or equal to 1"),
        (
            "touching:share=0.1,black,touching:share=0.2",
            "touching is there 2 times, and a run has it once: .*such as touching:share=0.1. "
            "Received: 'touching:share=0.1,black,",
        ),
        ("home-stuck,home-stuck", "home-stuck is there 2 times"),
        ("light:factor=0.5:factor=2", "light: give factor once. Received: 'light:factor=0.5:"),
    ],
)
def test_a_mistake_in_the_list_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        read_faults(text)
