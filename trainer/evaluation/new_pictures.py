"""How a finished run does on pictures of other places and other light, source by source."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.errors import PilahError, UsageError
from edge.core.terminal.progress import Progress
from edge.core.terminal.wording import in_a_sentence
from trainer.data.arrays import unpacked
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.data.captured import as_captured
from trainer.data.groups import assign_groups, group_column
from trainer.errors import OtherClassesError, RunError, TooFewPicturesError
from trainer.evaluation.adaptation import Adaptation, adaptation
from trainer.fit.saved_outputs import compiled
from trainer.networks import POOLED
from trainer.run import Run, earlier_rows, read_run, split_rows
from trainer.statistics.intervals import NOTHING, Figure, Resampling, share_difference
from trainer.statistics.means import Mean, difference, mean_of

_log = logging.getLogger(__name__)

TEST = "test split of the run"
"""The name of the run's own test pictures among the sources."""
_BATCH = 32

Rows = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a run's model says of pictures."""

    scores: Rows
    """(pictures, classes), 0..1."""
    novelty: Rows | None
    """(pictures,), 0..1; None if the model has no novelty score."""
    pooled: Rows
    """(pictures, depth), the outputs of the layer `pooled`."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceFigures:
    """How the model does on the pictures of one source."""

    name: str
    path: str
    labels: tuple[str, ...]
    truth: Indices
    """(pictures,) class indices."""
    groups: tuple[str, ...]
    answers: Answers
    accept: npt.NDArray[np.float64]
    """(classes,), the accept threshold of each label."""
    limit: float | None
    """The novelty score above which a picture is rejected as unknown; None if none is."""
    trained_on: int
    """The pictures that were left out, because the run was trained on them or chosen by them."""
    tested_on: int
    """The pictures that are in the run's test split too."""
    skipped: int
    """The files that could not be read."""

    @property
    def best(self) -> Indices:
        """(pictures,), the class index that each picture is given."""
        return np.asarray(self.answers.scores.argmax(axis=1), np.int64)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """(pictures,), whether each picture is classified correctly."""
        return np.asarray(self.best == self.truth)

    @property
    def called_unknown(self) -> npt.NDArray[np.bool_]:
        """(pictures,), whether each picture is rejected as unknown."""
        if self.limit is None or self.answers.novelty is None:
            return np.zeros(len(self.truth), bool)
        return np.asarray(self.answers.novelty > self.limit)

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """(pictures,), whether each picture is accepted."""
        sure = self.answers.scores.max(axis=1) >= self.accept[self.best]
        return np.asarray(sure & ~self.called_unknown)

    @property
    def confidence(self) -> Mean | None:
        """The mean of the pictures' highest scores."""
        return mean_of(self.answers.scores.max(axis=1), self.groups)

    def share(
        self, hits: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_] | None = None
    ) -> Figure:
        """The share of `hits` in `among`, by default in all pictures, with its interval."""
        return Resampling(self.groups, len(self.truth)).share(hits, among)

    @property
    def unknown(self) -> Figure:
        """The share of the pictures that are called unknown, though their classes are known."""
        has_score = self.limit is not None and self.answers.novelty is not None
        return self.share(self.called_unknown) if has_score else NOTHING

    def label_shares(self) -> dict[str, tuple[float, float]]:
        """By label: the share of the pictures that are of it, and that are taken for it."""
        total = max(1, len(self.truth))
        true, taken = (
            np.bincount(found, minlength=len(self.labels)) / total
            for found in (self.truth, self.best)
        )
        return {label: (float(true[i]), float(taken[i])) for i, label in enumerate(self.labels)}


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """A run on the pictures of several sources."""

    run: Run
    sources: tuple[SourceFigures, ...]
    test: SourceFigures | None
    """The run's own test pictures; None if they are not where they were."""
    adapted: Mapping[str, Adaptation]
    """By source, what new pictures of it would bring; empty if not asked for."""
    notes: tuple[str, ...]

    def confidence_shift(self, source: SourceFigures) -> Figure:
        """The mean confidence on a source less that on the run's test pictures."""
        return difference(source.confidence, None if self.test is None else self.test.confidence)

    def accuracy_shift(self, source: SourceFigures) -> Figure:
        """The accuracy on a source less that on the run's test pictures."""
        if self.test is None:
            return NOTHING
        return share_difference(source.share(source.right), self.test.share(self.test.right))


def evaluate_run(
    path: Path,
    sources: Sequence[tuple[str, Path]],
    *,
    groups: str | None = None,
    adapt: bool = False,
) -> Evaluated:
    """How the run in the folder `path` does on the pictures of each source.

    Pictures that the run was trained on, or whose scores chose its epoch, are found by their
    content and left out.

    Args:
        path: a finished run.
        sources: the name of each source, and its pictures; see `read_picture_set`.
        groups: which pictures belong together; see `assign_groups`.
        adapt: also measure what new pictures of each source would bring; a note says so where the
            training pictures are not where they were.

    Raises:
        RunError: there is no finished run, or it is damaged.
        PictureSetError, GroupError: pictures cannot be used.
        OtherClassesError: a source has classes that the run does not have.
        TooFewPicturesError: all pictures of a source were trained on.
        UsageError: two sources have one name.
    """
    run = read_run(path)
    names = [name for name, _ in sources]
    if twice := [name for name, count in Counter(names).items() if count > 1 or name == TEST]:
        raise UsageError(
            f"--source: two sources are called {twice[0]!r}: give each another name with --source"
        )
    used = {row.sha256: row.split for row in earlier_rows(path)}
    # Whatever is wrong with any of them is told before the first is computed.
    read = [(name, where, _read(run, where, groups, used)) for name, where in sources]
    notes = []
    trained = None
    if adapt:
        try:
            trained = _own(run, "train")
        except PilahError as error:
            notes.append(f"what new pictures would bring cannot be measured: {error}")
    model = _Scorer(run)
    found = tuple(_figures(run, model, name, str(where), got) for name, where, got in read)
    test = None
    try:
        test = _figures(run, model, TEST, run.facts.data.path, _own(run, "test"))
    except PilahError as error:
        notes.append(f"the run's test pictures cannot be compared with: {error}")
    adapted = {}
    if trained is not None:
        rows = model.answers(trained.decoded).pooled
        truth = np.array([run.facts.labels.index(p.label) for p in trained.pictures])
        for each in found:
            adapted[each.name] = adaptation(
                rows, truth, each.answers.pooled, each.truth, each.groups, right=each.right
            )
    return Evaluated(run, found, test, adapted, tuple(notes))


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    decoded: DecodedPictures
    pictures: tuple[LabelledPicture, ...]
    """Those of `decoded`, each with its group."""
    trained_on: int = 0
    tested_on: int = 0
    skipped: int = 0


def _read(run: Run, data: Path, groups: str | None, used: Mapping[str, str]) -> _Pictures:
    facts = run.facts
    found = read_picture_set(unpacked(data), group_column=group_column(groups))
    if others := [label for label in found.labels if label not in facts.labels]:
        raise OtherClassesError(
            f"{data}: it has classes that {run.path} does not know: {in_a_sentence(others)}. The "
            f"run knows {in_a_sentence(list(facts.labels))}. Give them these names with a class "
            "map (.yaml), leave them out of it, or train with them"
        )
    spec, said = as_captured(facts.input, [picture.path for picture in found.pictures])
    if spec != facts.input:
        raise UsageError(
            f"{data}: {said.partition(':')[0]}, and {run.path} was trained on others "
            f"(crop: {facts.input.crop}, padding: {facts.input.padding:g})"
        )
    decoded = decode_pictures(found.pictures, facts.input)
    splits = [used.get(digest, "") for digest in decoded.digests]
    fresh = np.array([split not in ("train", "validation") for split in splits], bool)
    if not fresh.any():
        raise TooFewPicturesError(
            f"{data}: all of its {len(fresh)} pictures that can be read were trained on by "
            f"{run.path}, or chose its best epoch: they say nothing of it. Give other pictures"
            if len(fresh)
            else f"{data}: none of its pictures can be read"
        )
    grouped = assign_groups(decoded.pictures, groups)
    kept = np.flatnonzero(fresh)
    trained_on = int((~fresh).sum())
    if trained_on:
        _log.warning(
            f"{data}: {trained_on} of {len(fresh)} pictures were trained on by the run, or chose "
            "its best epoch, and are left out"
        )
    return _Pictures(
        decoded.only(kept),
        tuple(grouped[i] for i in kept),
        trained_on=trained_on,
        tested_on=splits.count("test"),
        skipped=len(found.skipped) + len(decoded.skipped),
    )


def _own(run: Run, split: str) -> _Pictures:
    pictures = [picture for picture in run.pictures() if picture.split == split]
    if not pictures:
        raise RunError(f"{run.path}: has no {split} pictures")
    decoded = decode_pictures(pictures, run.facts.input)
    if gone := set(decoded.digests).difference(
        row.sha256 for row in split_rows(run.path) if row.split == split
    ):
        raise RunError(
            f"{run.path}: {len(gone)} of its {split} pictures are others now than when it was "
            "trained"
        )
    return _Pictures(decoded, decoded.pictures)


def _figures(run: Run, model: _Scorer, name: str, path: str, got: _Pictures) -> SourceFigures:
    labels = run.facts.labels
    return SourceFigures(
        name=name,
        path=path,
        labels=labels,
        truth=np.array([labels.index(picture.label) for picture in got.pictures]),
        groups=tuple(str(picture.group) for picture in got.pictures),
        answers=model.answers(got.decoded),
        accept=np.array([run.facts.accept[label] for label in labels]),
        limit=None if run.facts.unknown is None else run.facts.unknown.threshold,
        trained_on=got.trained_on,
        tested_on=got.tested_on,
        skipped=got.skipped,
    )


class _Scorer:
    """The model of a run, loaded and traced once."""

    def __init__(self, run: Run) -> None:
        import keras

        model = run.load_model()
        outputs = model.outputs
        self._has_novelty = len(outputs) > 1
        try:
            pooled = model.get_layer(POOLED).output
        except ValueError as error:
            raise RunError(f"{run.path}: its model has no layer {POOLED}. Train again") from error
        self._forward = compiled(keras.Model(model.input, [*outputs, pooled]))

    def answers(self, decoded: DecodedPictures) -> Answers:
        parts: list[list[Rows]] = []
        total = len(decoded.digests)
        with Progress("pictures scored", total=total) as progress:
            for start in range(0, total, _BATCH):
                some = np.arange(start, min(start + _BATCH, total))
                parts.append([v.numpy() for v in self._forward(decoded.tensors[some])])
                progress.advance(len(some))
        whole = [np.concatenate([part[i] for part in parts]) for i in range(len(parts[0]))]
        return Answers(whole[0], whole[1][:, 0] if self._has_novelty else None, whole[-1])
