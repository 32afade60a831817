"""The demo on one's own photographs: the test split passes on the belt."""

from __future__ import annotations

import csv
import io
import logging
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.demo.closing import close_photographs
from deploy.demo.folder import BUNDLE, RUN, TEST, check_apart, fresh_folder
from deploy.demo.sorting import sort_on_belt
from deploy.demo.stages import Stages, pilah, pilah_json
from deploy.demo.stations import TRIGGER, BeltPlan
from edge.core.files import write_file
from edge.core.images.image_file import read_image
from edge.core.model.bundle import read_bundle
from trainer.run import read_run

_log = logging.getLogger(__name__)

# The model looks at the whole region, so one item is in it at a time.
BELT = BeltPlan(
    width=320,
    height=240,
    frames_per_second=30,
    views_per_second=1.4,
    spacing_views=2.2,
    jitter=0.1,
    background="auto",
)
_TRIGGER = {
    **TRIGGER,
    # The belt has the colour of the photographs' background: white paper on white is faint, and a
    # clear bottle looks like several things.
    "contrast": 6,
    "min_area": 0.02,
    "min_gap": 1,  # one item is in view at a time
}
_SCALE = 0.75
"""Height of a photograph on the belt: all of it is in view for a while, and the recipe
augments about so far."""
_SAMPLE = 24


def photographs_demo(
    photos: Path,
    folder: Path,
    *,
    seed: int,
    groups: str | None,
    minutes: float | None,
    items: int | None,
) -> bool:
    """Whether the demo on the photographs in `photos`, a folder per class, went well.

    Args:
        folder: to fill.
        groups: which photographs belong together, as `pilah-trainer train` takes it.
        minutes: for the training; None: the recipe's own.
        items: photographs of the test split to pass on the belt, at most; None: all.

    Raises:
        PilahError: a stage failed, or the folder cannot be filled.
        KeyboardInterrupt: Ctrl-C.
    """
    check_apart(photos, folder)
    folder = fresh_folder(folder)
    stages = Stages(total=4)
    with stages.stage("training", "training: MobileNetV2 with ImageNet weights"):
        words: list[object] = ["--data", photos, "--out", folder / RUN, "--seed", seed]
        words += ["--groups", groups] if groups else []
        words += ["--max-minutes", minutes] if minutes else []
        pilah("trainer", "train", "mobilenet_v2", *words)
    with stages.stage("conversion", "conversion: to int8, and proof that it answers alike"):
        pilah("converter", "convert", folder / RUN, "--out", folder / BUNDLE)
    return sort_test_split(folder, stages, seed=seed, items=items)


def sort_test_split(folder: Path, stages: Stages, *, seed: int, items: int | None) -> bool:
    """Whether the test split of `folder`/run, on the belt, is sorted as well as it is evaluated.

    Uses the run and the bundle that lie in `folder`, however they came there.
    """
    with stages.stage("check", "check: the bundle on the test split, as the device sees it"):
        photographs = write_test_split(folder, items)
        pilah("edge", "inspect", folder / BUNDLE)
        evaluation = pilah_json("edge", "evaluate", folder / BUNDLE, folder / TEST)
    count, plan = len(photographs), belt_for(photographs)
    if items is not None and count < items:
        _log.info(
            f"ITEMS={items}, but {count} photographs pass: so many are in the test split, about a "
            "tenth of all, which the model was not trained on. More photographs make it larger"
        )
    with stages.stage("belt", f"belt: {count} photographs of the test split"):
        belt = sort_on_belt(
            folder,
            plan,
            read_bundle(folder / BUNDLE).labels,
            items=count,
            trigger=_TRIGGER,
            photographs=TEST,
            scale=_SCALE,
            background="auto",
            seed=seed,
        )
    return close_photographs(
        folder,
        belt,
        stages,
        seed=seed,
        evaluation=evaluation,
    )


def belt_for(photographs: Sequence[Path]) -> BeltPlan:
    """A belt whose view has the photographs' shape, the median of a sample of them.

    The model looks at the whole view, so that another shape would show it everything stretched.
    """
    step = max(1, len(photographs) // _SAMPLE)
    shapes = [read_image(path).shape for path in photographs[::step]]
    ratio = min(3.0, max(1 / 3, statistics.median(width / height for height, width, _ in shapes)))
    pixels = BELT.width * BELT.height
    width, height = (8 * round((pixels * by) ** 0.5 / 8) for by in (ratio, 1 / ratio))
    return replace(BELT, width=width, height=height)


def write_test_split(folder: Path, items: int | None = None) -> list[Path]:
    """The pictures of the run's test split, which are now named by `folder`/test.csv.

    Args:
        items: takes so many at most, evenly from all of it; None: all.
    """
    pictures = [p for p in read_run(folder / RUN).pictures() if p.split == "test"]
    if items is not None and items < len(pictures):
        pictures = [pictures[i * len(pictures) // items] for i in range(items)]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("path", "label"))
    rows.writerows((picture.path, picture.label) for picture in pictures)
    write_file(folder / TEST, text.getvalue())
    return [picture.path for picture in pictures]
