"""Prepares a training: reads, decodes and splits the pictures, and builds a network for them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture, read_picture_set
from trainer.data.arrays import unpacked
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.data.captured import as_captured
from trainer.data.groups import Before, group_column
from trainer.data.split import split_pictures
from trainer.fit.earlier_run import EarlierRun, read_earlier_run
from trainer.fit.preconditions import check_enough, check_phases
from trainer.fit.predict import TrainingSet
from trainer.fit.saved_outputs import save_outputs
from trainer.networks import INPUT, Network, build_network
from trainer.networks.parts.weights import without_weights
from trainer.recipes.plan import PhasePlan, Recipe
from trainer.run import SPLIT, earlier_rows, write_split

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A network and the pictures that it is trained on."""

    recipe: Recipe
    """The recipe, with the input spec that the pictures need."""
    network: Network
    decoded: DecodedPictures
    pictures: tuple[LabelledPicture, ...]
    """The decoded pictures, each with its group and its split."""
    labels: tuple[str, ...]
    truth: npt.NDArray[np.int64]
    """(pictures,) class indices."""
    split: npt.NDArray[np.str_]
    """str (pictures,), the split of each picture."""
    skipped: tuple[str, ...]
    """A message for each file that was left out."""
    seed: int
    """The seed of the split, the starting weights, the augmentation and the order."""
    given_splits: tuple[str, ...] = ()
    """The splits that the pictures came with, as a folder `val` or a column of the manifest."""
    earlier: EarlierRun | None = None
    """The run that the training starts from."""

    @property
    def digest(self) -> str:
        """SHA-256 over every picture's content digest, label and split, in hexadecimal."""
        lines = sorted(
            f"{digest} {picture.label} {picture.split}"
            for digest, picture in zip(self.decoded.digests, self.pictures, strict=True)
        )
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def write_split(self, folder: Path) -> Path:
        """Writes `split.csv` to `folder`, by which other trainings get the same split; its path."""
        pictures = [replace(each, path=each.path.absolute()) for each in self.pictures]
        write_split(folder, Path("/"), pictures, self.decoded.digests)
        return folder / SPLIT

    def of(self, *splits: str) -> npt.NDArray[np.int64]:
        """The indices of the pictures of these splits."""
        return np.flatnonzero(np.isin(self.split, splits))


def prepare(
    recipe: Recipe,
    data: Path,
    *,
    add: Sequence[str | Path] = (),
    groups: str | None = None,
    seed: int = 0,
    keep_parts: Path | None = None,
    from_run: Path | None = None,
) -> Prepared:
    """Prepares the pictures of `data`, and the network of `recipe` with its starting weights.

    Args:
        data: see `read_picture_set`; arrays of pictures are unpacked first.
        add: more pictures, which do not move those of `data` to another split.
        groups: which pictures belong together; see `assign_groups`.
        seed: the seed of the split and of the starting weights.
        keep_parts: an earlier run, or a `split.csv`, whose pictures keep the split that they had
            there.
        from_run: an earlier run whose weights, order of classes and split this one starts from.

    Raises:
        PictureSetError, TooFewPicturesError, GroupError: the pictures cannot be used.
        WeightsMissingError: pretrained weights are not cached and cannot be downloaded.
        RunError: `keep_parts` or `from_run` is no finished run, `keep_parts` does not record the
            split of its pictures, or pictures of `from_run` are gone.
        UsageError: the recipe's phases are out of order, or the network or the input of `from_run`
            is another one.
        StorageError: the cache cannot be written.
    """
    earlier = None
    if from_run is not None:
        earlier = read_earlier_run(from_run, recipe.network, keep_parts=keep_parts)
    rows = earlier_rows(keep_parts) if keep_parts is not None else ()
    found = read_picture_set(
        unpacked(data),
        group_column=group_column(groups),
        add=[unpacked(Path(more)) for more in add],
    )
    for note in (*found.notes, *filter(None, [found.missing_splits])):
        _log.info(note)
    spec, said = as_captured(recipe.input, [picture.path for picture in found.pictures])
    if said:
        _log.info(said)
    recipe = recipe.model_copy(update={"input": spec})
    if earlier is not None:
        earlier.check_input(spec)
        recipe, rows = earlier.planned(recipe, found.classes), earlier.rows
    # Before the pictures are decoded, so that missing weights are reported at once.
    with nullcontext() if earlier is None else without_weights():
        network = build_network(recipe.network, recipe.input, len(found.classes), seed=seed)
    check_phases(recipe, network)
    decoded = decode_pictures(found.pictures, recipe.input)
    check_enough(found, decoded, (*found.skipped, *decoded.skipped))
    before = {row.sha256: Before(row.split, row.group) for row in rows}
    if rows:
        known = sum(digest in before for digest in decoded.digests)
        _log.info(
            f"{known} of {len(decoded.digests)} pictures keep the split that "
            f"{keep_parts or from_run} gave them"
        )
    given, absent = decoded, () if earlier is None else earlier.absent(decoded.digests)
    if absent:
        _log.info(
            f"{len(absent)} pictures of {from_run} and of what it started from are not among those "
            "given: a copy of one comes into its split, and else they are not used"
        )
        # Those given come from the cache now, and those of the run as a rule.
        decoded = decode_pictures([*given.pictures, *absent], recipe.input)
    split = split_pictures(
        decoded,
        recipe.split,
        groups=groups,
        seed=seed,
        spec=recipe.input,
        earlier=before,
        absent=len(decoded.digests) - len(given.digests),
    )
    for line in (*split.notes, *split.left_out):
        _log.warning(line)
    skipped = (*found.skipped, *given.skipped, *split.left_out)
    decoded = decoded.only(split.kept)
    pictures = split.pictures
    labels = tuple(sorted({picture.label for picture in pictures}))
    if earlier is not None:
        labels = earlier.labels(labels)
        network = earlier.started(network, labels)
    return Prepared(
        recipe=recipe,
        network=network,
        decoded=decoded,
        pictures=pictures,
        labels=labels,
        truth=np.array([labels.index(picture.label) for picture in pictures]),
        split=np.array([picture.split for picture in pictures]),
        skipped=skipped,
        seed=seed,
        given_splits=tuple(sorted({each.split for each in found.pictures if each.split})),
        earlier=earlier,
    )


def all_fresh(phases: Sequence[PhasePlan]) -> bool:
    """Whether no phase learns from saved outputs of augmented copies."""
    return all(phase.fresh for phase in phases if phase.train_from != INPUT)


def training_set(
    prepared: Prepared,
    phases: Sequence[PhasePlan],
    *,
    with_copies: npt.NDArray[np.bool_],
    train: npt.NDArray[np.int64],
    validation: npt.NDArray[np.int64],
    check_stop: Callable[[], None] = lambda: None,
) -> TrainingSet:
    """The data that `phases` train on, with the outputs of their cut layers (cached or computed).

    Args:
        prepared: the pictures and the network.
        phases: the phases to train.
        with_copies: bool (pictures,), the pictures that need augmented copies for training.
        train, validation: indices of the pictures to train on, and to choose the best epoch with.
        check_stop: raises if the user wants to stop.
    """
    network = prepared.network
    cut_layers = sorted({p.train_from for p in phases} - {INPUT}, key=network.depth, reverse=True)
    features = {}
    if cut_layers:
        features = save_outputs(
            network,
            cut_layers,
            prepared.decoded,
            np.zeros_like(with_copies) if all_fresh(phases) else with_copies,
            spec=prepared.recipe.input,
            plan=prepared.recipe.augment,
            check_stop=check_stop,
        )
    return TrainingSet(prepared.decoded.tensors, prepared.truth, features, train, validation)
