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
from trainer.data.cache import decode_pictures
from trainer.data.download import digest
from trainer.errors import RunError
from trainer.fit.saved_outputs import pooled_outputs
from trainer.networks import FEATURES, LOGITS, POOLED, Network
from trainer.run import Run, read_run, split_rows

_log = logging.getLogger(__name__)

NEAREST = 5
"""Training pictures that are shown for each picture."""

_USED = {
    "train": "it is one of the training pictures of this run, so it says little of others",
    "validation": "it is one of the validation pictures of this run, by which its epoch was chosen",
    "test": "it is one of the test pictures of this run",
}

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
    """float32 (height, width), 0..1: how much each place speaks for the first label; its highest is
    the share of all that places say that speaks for it. None if the network does not look at
    places."""
    alike: tuple[Alike, ...]
    """The training pictures that look most like it, the nearest first."""
    label: str | None = None
    """What it is, where that is known."""
    outcome: str = ""
    """Whether the run's thresholds accept it, or why not; empty if it is not told."""
    note: str = ""
    """What the run used the picture for, if it did."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenPictures:
    """Training pictures, among which alike ones are looked for."""

    pictures: Sequence[LabelledPicture]
    tensors: Any
    """uint8 (pictures, height, width, channels) of these and maybe of others."""
    places: npt.NDArray[np.int64]
    """(pictures,), the row of each picture in the tensors."""
    pooled: Rows
    """(pictures, depth), the model's outputs of `pooled`."""
    digests: Sequence[str] = ()
    """SHA-256 of their files, if known."""

    def alike(
        self, pooled: Rows, *, itself: npt.NDArray[np.int64] | None = None
    ) -> list[tuple[Alike, ...]]:
        """The training pictures that are most alike to each of `pooled` (n, depth).

        Args:
            itself: (some,) the numbers of pictures that are the one looked at, and are left out.
        """
        likeness = _unit(pooled) @ _unit(self.pooled).T
        if itself is not None:
            likeness[:, itself] = -np.inf
        nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
        return [
            tuple(
                Alike(
                    self.pictures[i].label,
                    f"{self.pictures[i].path.parent.name}/{self.pictures[i].path.name}",
                    float(row[i]),
                    np.asarray(self.tensors[self.places[[i]]])[0],
                )
                for i in places.tolist()
                if np.isfinite(row[i])
            )
            for row, places in zip(likeness, nearest, strict=True)
        ]


def explain(path: Path, files: Sequence[Path]) -> tuple[tuple[Explanation, ...], tuple[str, ...]]:
    """(an explanation for each picture, what could not be shown and why).

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
    seen: SeenPictures | None = None
    try:
        seen = _seen(run, network)
    except PilahError as error:
        notes.append(f"the nearest training pictures are not shown: {error}")
    return tuple(
        _explained(run, network, file, tensor, seen)
        for file, tensor in zip(files, tensors, strict=True)
    ), tuple(notes)


def _seen(run: Run, network: Network) -> SeenPictures:
    pictures: list[LabelledPicture] = [p for p in run.pictures() if p.split == "train"]
    decoded = decode_pictures(pictures, run.facts.input)
    pooled = pooled_outputs(network, decoded, spec=run.facts.input)
    return SeenPictures(
        decoded.pictures, decoded.tensors, np.arange(len(pooled)), pooled, decoded.digests
    )


def _explained(
    run: Run, network: Network, file: Path, tensor: Tensor, seen: SeenPictures | None
) -> Explanation:
    image = np.asarray(tensor, np.float32)[None]
    outputs = network.model(image, training=False)
    listed = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    scores = np.asarray(listed[0])[0]
    sha256 = digest(file)
    used = {row.sha256: row.split for row in split_rows(run.path)}.get(sha256)
    alike: tuple[Alike, ...] = ()
    if seen is not None:
        pooled = np.asarray(network.lower([POOLED])(image)[0])
        itself = np.flatnonzero([each == sha256 for each in seen.digests])
        (alike,) = seen.alike(pooled.reshape(1, -1), itself=itself)
    unknown = float(np.asarray(listed[1])[0, 0]) if len(listed) > 1 else None
    heat = activations(network, tensor[None], [int(scores.argmax())])
    return Explanation(
        path=file,
        tensor=tensor,
        scores=by_label(scores, run.facts.labels),
        unknown=unknown,
        heat=None if heat is None else heat[0],
        alike=alike,
        outcome=_outcome(run, scores, unknown),
        note="" if used is None else _USED[used],
    )


def _outcome(run: Run, scores: npt.NDArray[np.floating], unknown: float | None) -> str:
    """Whether the run's thresholds accept these scores (labels,)."""
    limit = None if run.facts.unknown is None else run.facts.unknown.threshold
    if unknown is not None and limit is not None and unknown > limit:
        return f"rejected as unknown: its novelty score is above {limit:.2f}"
    best = int(scores.argmax())
    label = run.facts.labels[best]
    least = run.facts.accept[label]
    if scores[best] < least:
        # Two digits may make a score look as high as the threshold that it does not reach.
        below = (
            f", and {scores[best]:.4f} is less" if f"{scores[best]:.2f}" == f"{least:.2f}" else ""
        )
        return f"rejected: {label} is accepted from {least:.{4 if below else 2}f}{below}"
    return "accepted"


def by_label(scores: npt.NDArray[np.floating], labels: Sequence[str]) -> dict[str, float]:
    """The scores (labels,) by label, the highest first."""
    return {labels[i]: float(scores[i]) for i in np.argsort(-scores, kind="stable").tolist()}


def activations(network: Network, tensors: Tensor, labels: Sequence[int]) -> Rows | None:
    """float32 (pictures, height, width), 0..1: how much each place speaks for a label.

    It is the class activation: the features at each place, weighted by how much the logit of the
    label grows with them (Selvaraju et al., Grad-CAM, ICCV 2017; with a plain head that is the
    class activation map of Zhou et al., CVPR 2016). Its highest value is the share of all that the
    places say, for and against, that speaks for the label: so noise, where both are alike, stays
    pale beside what convinces. None if the network has no map of places.

    Args:
        network: a trained network.
        tensors: uint8 (pictures, height, width, channels).
        labels: the index of a label for each picture.
    """
    import tensorflow as tf

    if FEATURES not in {layer.name for layer in network.model.layers}:
        return None
    lower: Any = network.once(("explained", "lower"), lambda: network.lower([FEATURES]))
    upper: Any = network.once(("explained", "upper"), lambda: network.upper(FEATURES))
    found = lower(np.asarray(tensors, np.float32), training=False)
    features = found[0] if isinstance(found, (list, tuple)) else found
    with tf.GradientTape() as tape:
        tape.watch(features)
        # Each logit depends on the features of its own picture alone.
        logits = tf.gather(upper(features, training=False), list(labels), axis=1, batch_dims=1)
    weights = np.asarray(tape.gradient(logits, features)).mean(axis=(1, 2))
    said = np.einsum("nhwd,nd->nhw", np.asarray(features), weights)
    height, width = tensors.shape[1:3]
    heats = []
    for each in said:
        heat = np.maximum(each, 0)
        share = heat.sum() / max(np.abs(each).sum(), 1e-12)
        heats.append(_grown(share * heat / max(heat.max(), 1e-12), height, width))
    return np.stack(heats)


def _grown(heat: Rows, height: int, width: int) -> Rows:
    grown = cv2.resize(heat.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown, np.float32)


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))
