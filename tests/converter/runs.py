"""Writes a finished run of the tiny red-green-blue network, in the way of the trainer."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.core.dataset import LabelledPicture
from edge.core.images.image_file import Image
from edge.core.images.preprocess import InputSpec
from tests.bundles import SPEC
from trainer.run import (
    MODEL,
    DataFacts,
    RunFacts,
    StartFacts,
    UnknownFacts,
    write_facts,
    write_split,
)

LABELS = ("blå & co.", "grün", "红 色")
"""Unusual but valid labels, which must not be changed."""
PARTS = {"train": 12, "validation": 3, "test": 8}
"""The number of pictures of each label in each part."""

UNKNOWN = UnknownFacts(
    score="both",
    threshold=0.5,
    keep=0.95,
    kept={"value": 0.97, "interval": [0.93, 0.99]},
    left_out={
        "both": {LABELS[2]: {"value": 0.8, "interval": [0.6, 0.9], "auroc": 0.9, "images": 23}}
    },
    note="no promise: too few series",
)

KERAS_READS_VARIABLES = "ignore:__array__ implementation:DeprecationWarning"
"""For `pytest.mark.filterwarnings`: Keras copies variables in a way that NumPy 2 warns about."""


def make_run(
    folder: Path,
    keras_model: Path,
    *,
    labels: Sequence[str] = LABELS,
    parts: dict[str, int] = PARTS,
    spec: InputSpec = SPEC,
    unknown: UnknownFacts | None = None,
) -> Path:
    """Writes a run into `folder/run`, its pictures into `folder/photos`, and returns the run.

    Args:
        keras_model: a saved model of three classes.
        unknown: the facts of the novelty score, if the model has one.
    """
    import cv2

    root, run = folder / "photos", folder / "run"
    run.mkdir(parents=True)
    shutil.copy(keras_model, run / MODEL)
    pictures, digests = [], []
    for index, label in enumerate(labels):
        for part, count in parts.items():
            for number in range(count):
                path = root / label / f"{part}{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                encoded = cv2.imencode(".png", drawn(index, len(pictures)))[1]
                path.write_bytes(encoded.tobytes())
                digests.append(hashlib.sha256(encoded.tobytes()).hexdigest())
                pictures.append(LabelledPicture(path, label, f"{label}/{number}", part))
    write_split(run, root, pictures, digests)
    write_facts(
        run,
        RunFacts(
            recipe="tiny",
            variant="hand-set",
            seed=7,
            labels=tuple(labels),
            input=spec,
            temperature=1.0,
            accept=dict.fromkeys(labels, 0.5),
            accept_notes={labels[0]: "too few pictures to promise anything"},
            unknown=unknown,
            started_from=None
            if unknown is None
            else StartFacts(
                run="/runs/first", model="5" * 64, new_labels=labels[:1], validation_accuracy=0.75
            ),
            data=DataFacts(
                path=str(root),
                root=str(root),
                digest="0" * 64,
                pictures={part: count * len(labels) for part, count in parts.items()},
                skipped=1,
            ),
            finished="2026-11-21T23:15:04+00:00",
            minutes=0.1,
            stopped_early=False,
            parameters=243,
            tools={},
        ),
    )
    return run


def drawn(channel: int, seed: int) -> Image:
    """A picture in which one RGB channel is the strongest, uint8 (48, 64, 3) BGR."""
    random = np.random.default_rng(seed)
    levels = random.integers(20, 110, 3)
    levels[2 - channel] = random.integers(140, 240)
    return np.clip(levels + random.integers(-30, 31, (48, 64, 1)), 0, 255).astype(np.uint8)
