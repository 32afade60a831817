from __future__ import annotations

from dataclasses import replace

import pytest

from edge.vision.trigger.motion import Settings
from edge.vision.trigger.replay import Item, Recording, ReplayResult, best, variants
from tests.edge.vision.trigger.scenes import DARK, Scene, Thing, travelling, watch

BOTTLE = (
    # A cap and a bottom; what is between them cannot be seen.
    Thing(travelling(start=1.2, pace=150, y=60), DARK, height=30),
    Thing(travelling(start=1.2, pace=150, y=130), DARK, height=30),
)
SCENE = Scene(4.2, BOTTLE)
PIECES = Settings(kind="motion")


@pytest.fixture(scope="module")
def recording() -> Recording:
    recording = Recording()
    for frame in SCENE.frames():
        recording.add(frame)
    return recording


def test_a_recording_seen_again_gives_what_the_trigger_found(recording: Recording) -> None:
    look = recording.look(PIECES)
    live = watch(SCENE.frames(), PIECES)
    assert len(look.items) == len(live) == 2
    for item, seen in zip(look.items, live, strict=True):
        # The picture looked at is half as large.
        assert [tuple(2 * side for side in box) for box in item.boxes.values()] == seen.boxes
    assert recording.frames_per_second == pytest.approx(15)


def test_what_travels_side_by_side_is_said_to_be_pieces_and_joining_them_is_proposed(
    recording: Recording,
) -> None:
    look = recording.look(PIECES)
    assert [[item.number for item in group] for group in look.together] == [[1, 2]]
    assert look.pieces == 1
    joined = recording.look(PIECES.model_copy(update={"min_gap": 0.3}))
    assert (len(joined.items), joined.pieces) == (1, 0)


def test_things_one_after_the_other_are_no_pieces() -> None:
    recording = Recording()
    things = (Thing(travelling(start=1.2, pace=150)), Thing(travelling(start=2.4, pace=150)))
    for frame in Scene(5, things).frames():
        recording.add(frame)
    look = recording.look(PIECES)
    assert (len(look.items), look.pieces) == (2, 0)


def test_the_values_tried_have_those_of_the_station_among_them() -> None:
    own = Settings(kind="motion", contrast=13, min_gap=0.07, min_area=0.02)
    tried = list(variants(own))
    assert own in tried
    assert len(tried) == 25
    assert {settings.min_area for settings in tried} == {0.02}


def tried(counts: dict[tuple[float, float], int]) -> list[ReplayResult]:
    """As if each (contrast, min_gap) had found so many items."""
    return [
        ReplayResult(
            PIECES.model_copy(update={"contrast": contrast, "min_gap": gap}),
            [Item(number) for number in range(count)],
            single_frame=0,
            blobs=(),
            learned=0,
            size=(160, 120),
            together=(),
        )
        for (contrast, gap), count in counts.items()
    ]


@pytest.mark.parametrize(
    ("counts", "proposed"),
    [
        ({(20, 0): 9, (20, 1): 8, (40, 0): 7, (40, 1): 9}, None),  # none is right
        ({(20, 0): 9, (20, 1): 6, (40, 0): 7, (40, 1): 9}, (20, 1)),
        # Among right ones, not a lonely one.
        ({(10, 0): 6, (10, 1): 8, (20, 0): 9, (20, 1): 6, (40, 0): 9, (40, 1): 6}, (20, 1)),
        # Where all are as good, the contrast there is, and the one that joins least.
        ({(10, 0): 6, (10, 1): 6, (20, 0): 6, (20, 1): 6}, (20, 0)),
    ],
)
def test_proposed_is_what_counts_rightly_and_its_neighbours_too(
    counts: dict[tuple[float, float], int], proposed: tuple[float, float] | None
) -> None:
    found = best(tried(counts), 6, contrast=20)
    values = None if found is None else (found.settings.contrast, found.settings.min_gap)
    assert values == proposed


def test_what_counts_rightly_by_chance_in_pieces_is_not_proposed() -> None:
    (look,) = tried({(20, 0): 6})
    assert best([replace(look, together=[look.items[:2]])], 6, contrast=20) is None


def test_of_a_recording_without_frames_nothing_is_found() -> None:
    look = Recording().look(PIECES)
    assert (look.items, look.size, Recording().seconds, Recording().frames_per_second) == (
        [], (0, 0), 0.0, 0.0,
    )  # fmt: skip
