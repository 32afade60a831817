"""Why a run's model answers as it does: where it looks, and which training pictures look alike."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from edge.core.errors import PilahError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import Tensor, preprocess
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.errors import RunError
from trainer.fit.saved_outputs import pooled_outputs
from trainer.networks import FEATURES, LOGITS, POOLED, Network
from trainer.run import Run, read_run

_log = logging.getLogger(__name__)

NEAREST = 5
"""Training pictures that are shown for each picture."""

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """A training picture that looks like the one to be explained."""

    label: str
    name: str
    """Its folder and file."""
    likeness: float
    """The cosine of both pictures' outputs of `pooled`, -1..1."""
    tensor: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What a model makes of one picture."""

    path: Path
    tensor: Tensor
    """uint8 (height, width, channels), what the model is given."""
    scores: dict[str, float]
    """By label, the highest first, 0..1."""
    unknown: float | None
    """The novelty score, 0..1; None if the model has none."""
    heat: Rows | None
    """float32 (height, width), 0..1: how much each place speaks for the first label; None if the
    network does not look at places."""
    alike: tuple[Alike, ...]
    """The training pictures that look most like it, the nearest first."""


def explain(path: Path, files: Sequence[Path]) -> tuple[tuple[Explanation, ...], tuple[str, ...]]:
    """(an explanation for each picture, what could not be shown and why).

    Where the model looks is its class activation: the features at each place, weighted by how much
    the logit of the first label grows with them (Selvaraju et al., Grad-CAM, ICCV 2017; with a
    plain head that is the class activation map of Zhou et al., CVPR 2016).

    Args:
        path: a finished run.
        files: pictures.

    Raises:
        RunError: there is no finished run, or it is damaged.
        UnreadableImageError: a picture cannot be read.
    """
    run = read_run(path)
    tensors = [preprocess(read_image(file), run.facts.input) for file in files]
    model = run.load_model()
    names = {layer.name for layer in model.layers}
    if not {POOLED, LOGITS} <= names:
        raise RunError(f"{path}: its model has no layers {POOLED} and {LOGITS}. Train again")
    notes = []
    if FEATURES not in names:
        notes.append(
            "where it looks is not shown: its network puts all places in a row, and has no map"
        )
    network = Network(model, pretrained=False)
    trained: tuple[DecodedPictures, Rows] | None = None
    try:
        trained = _trained(run, network)
    except PilahError as error:
        notes.append(f"the nearest training pictures are not shown: {error}")
    return tuple(
        _explained(run, network, file, tensor, trained, has_map=FEATURES in names)
        for file, tensor in zip(files, tensors, strict=True)
    ), tuple(notes)


def _trained(run: Run, network: Network) -> tuple[DecodedPictures, Rows]:
    """The training pictures, and their outputs of `pooled` with length 1."""
    pictures: list[LabelledPicture] = [p for p in run.pictures() if p.split == "train"]
    decoded = decode_pictures(pictures, run.facts.input)
    return decoded, _unit(pooled_outputs(network, decoded, spec=run.facts.input))


def _explained(
    run: Run,
    network: Network,
    file: Path,
    tensor: Tensor,
    trained: tuple[DecodedPictures, Rows] | None,
    *,
    has_map: bool,
) -> Explanation:
    model = network.model
    outputs = model(np.asarray(tensor, np.float32)[None], training=False)
    listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    scores = np.asarray(listed[0])[0]
    best = int(scores.argmax())
    alike: tuple[Alike, ...] = ()
    if trained is not None:
        decoded, rows = trained
        pooled = np.asarray(network.lower([POOLED])(np.asarray(tensor, np.float32)[None])[0])
        likeness = rows @ _unit(pooled.reshape(1, -1))[0]
        alike = tuple(
            Alike(
                decoded.pictures[i].label,
                f"{decoded.pictures[i].path.parent.name}/{decoded.pictures[i].path.name}",
                float(likeness[i]),
                np.asarray(decoded.tensors[np.array([i])])[0],
            )
            for i in np.argsort(-likeness, kind="stable")[:NEAREST].tolist()
        )
    order = np.argsort(-scores, kind="stable").tolist()
    return Explanation(
        path=file,
        tensor=tensor,
        scores={run.facts.labels[i]: float(scores[i]) for i in order},
        unknown=float(np.asarray(listed[1])[0, 0]) if len(listed) > 1 else None,
        heat=_heat(network, tensor, best) if has_map else None,
        alike=alike,
    )


def _heat(network: Network, tensor: Tensor, label: int) -> Rows:
    """float32 (height, width), 0..1."""
    import tensorflow as tf

    lower: Any = network.once(("explained", "lower"), lambda: network.lower([FEATURES]))
    upper: Any = network.once(("explained", "upper"), lambda: network.upper(FEATURES))
    found = lower(np.asarray(tensor, np.float32)[None], training=False)
    features = found[0] if isinstance(found, (list, tuple)) else found
    with tf.GradientTape() as tape:
        tape.watch(features)
        logit = upper(features, training=False)[0, label]
    weights = np.asarray(tape.gradient(logit, features))[0].mean(axis=(0, 1))
    heat = np.maximum(np.asarray(features)[0] @ weights, 0)
    heat = heat / heat.max() if heat.max() > 0 else heat
    height, width = tensor.shape[:2]
    grown = cv2.resize(heat.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown, np.float32)


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))
