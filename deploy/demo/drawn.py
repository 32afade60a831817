"""The demo on drawn items: everything from nothing, without a network."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from deploy.demo.closing import PLUMBING, close_drawn
from deploy.demo.folder import BUNDLE, PHOTOS, RUN, TEST, fresh_folder
from deploy.demo.photographs import write_test_split
from deploy.demo.sorting import sort_on_belt
from deploy.demo.stages import Stages, pilah, pilah_json
from deploy.demo.stations import TRIGGER, BeltPlan, belt_camera, write_station

_log = logging.getLogger(__name__)

LABELS = ("bottle", "can", "fruit", "paper_ball")
"""Those that a small network tells apart after a minute; cartons and cups look like cans to it."""
EXPECTED = 0.975
"""What the model is made to accept as what they are, of the test split: 39 of 40."""
ITEMS = 160
"""On the belt: 40 for each lane, so that one mistake is not the end of it."""
MINUTES = 24 * 60
"""For the training, which is bounded by its epochs: on a slow machine it takes longer, and learns
the same."""
PHOTOGRAPHS = 300
"""Of each class."""
BELT = BeltPlan(
    width=320,
    height=240,
    frames_per_second=30,
    views_per_second=2.0,
    spacing_views=0.68,
    jitter=0.1,
    # Blue, as many belts are: on grey, clear bottles and bare cans can hardly be seen at all.
    background="#2a5a8a",
)


def drawn_demo(folder: Path, *, seed: int, items: int, photographs: int = PHOTOGRAPHS) -> bool:
    """Whether the demo on drawn items went well.

    Args:
        folder: to fill.
        seed: of the items, of the training, of everything.
        items: to pass on the belt.
        photographs: to train on, of each class.

    Raises:
        PilahError: a stage failed, or the folder cannot be filled.
        KeyboardInterrupt: Ctrl-C.
    """
    folder = fresh_folder(folder)
    stages = Stages(total=5)
    _log.info(PLUMBING)
    with stages.stage("photographs", f"photographs: {photographs} drawn items of each class"):
        take_photographs(folder, seed=seed, count=photographs)
    with stages.stage("training", "training: a small network from scratch"):
        photos, run = folder / PHOTOS, folder / RUN
        pilah(
            *("trainer", "train", "convnet", "--data", photos, "--out", run),
            *("--seed", seed, "--max-minutes", MINUTES),
            # Every item is drawn anew: there are no copies to look for.
            *("--set", "split.near_duplicates=false"),
        )
    with stages.stage("conversion", "conversion: to int8, and proof that it answers alike"):
        pilah("converter", "convert", run, "--out", folder / BUNDLE, "--name", "drawn-items")
    with stages.stage("check", "check: the bundle as the device sees it"):
        # `inspect` refuses a bundle that does not reproduce its golden pictures.
        pilah("edge", "inspect", folder / BUNDLE)
        write_test_split(folder)
        evaluation = pilah_json("edge", "evaluate", folder / BUNDLE, folder / TEST)
    with stages.stage("belt", f"belt: {items} items that nobody has seen before"):
        belt = sort_on_belt(
            folder, BELT, LABELS, items=items, labels=list(LABELS), seed=10 * seed + 9
        )
    return close_drawn(
        folder,
        belt,
        stages,
        seed=seed,
        evaluation=evaluation,
        expected=EXPECTED,
    )


def take_photographs(folder: Path, *, seed: int, count: int) -> None:
    """Fills `folder`/photos by the station's own eye, from a belt as fast as it can be drawn."""
    for index, label in enumerate(LABELS):
        camera = belt_camera(
            replace(BELT, frames_per_second=11),  # fewer frames, and the same items
            labels=[label],
            items=count,
            seed=10 * seed + index,
            paced=False,
        )
        write_station(
            folder / "camera.yaml",
            {"station": "demo", "camera": camera, "trigger": dict(TRIGGER)},
            comment=f"The eye of the demo's belt, on which only the class {label} passes.",
        )
        pilah(
            *("edge", "capture", folder / "camera.yaml", "--items", "--label", label),
            *("--out", folder / PHOTOS),
        )
