"""What a teacher says of the training pictures and of their augmented copies.

A teacher is one or several larger networks that learn from the same training pictures. The student
learns from what they say of the very copies that it trains on, because a teacher's fixed scores of
other views overfit. Source: Beyer et al., Knowledge distillation: a good teacher is patient and
consistent, CVPR 2022.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.errors import StorageError, UsageError
from edge.core.files import storage_errors, write_file
from edge.core.terminal.progress import Progress
from edge.core.terminal.wording import in_a_sentence, number_of
from trainer import augment, fit, networks
from trainer.augment import augmented
from trainer.data.cache import DecodedPictures, decode_pictures, preprocessing_digest
from trainer.data.cache_folder import cache_folder, cache_limit, drop_oldest
from trainer.data.row_store import RowStore
from trainer.data.stratified_split import fold_pictures
from trainer.errors import RunError
from trainer.fit.phases import Budget, run_phases
from trainer.fit.predict import TrainingSet, scorer_at
from trainer.fit.prepare import Prepared, all_fresh, training_set
from trainer.fit.saved_outputs import code_digest, copy_chance
from trainer.fit.teacher_run import check_unseen
from trainer.networks import INPUT, LOGITS, Network, build_network
from trainer.recipes.plan import AugmentPlan, DistillPlan, Recipe
from trainer.recipes.reading import is_recipe, read_recipe, recipe_yaml
from trainer.run import FACTS, MODEL, earlier_rows, read_run
from trainer.statistics.likelihood import softmax

_log = logging.getLogger(__name__)

_CHUNK = 32
_CERTAIN = 1000.0
"""A logit beside zeros that leaves the other classes nothing at any temperature."""
_TOLD = "told.json"

Logits = npt.NDArray[np.float16]
"""float16 (teachers, pictures, 1 + copies, classes)."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What a teacher says, and what is to be known of it."""

    probabilities: npt.NDArray[np.float16]
    """float16 (pictures, 1 + copies, classes), at the plan's temperature; 0 for pictures that are
    not trained on."""
    told: tuple[str, ...]
    """A sentence for each teacher: how good it is, and whether its training was cut short."""


def is_run(teacher: str) -> bool:
    """Whether a teacher is given as the folder of a run, and not as a recipe."""
    return not is_recipe(teacher) and Path(teacher).is_dir()


def teacher_recipe(plan: DistillPlan) -> Recipe:
    """The recipe of a teacher that is not a run.

    Raises:
        ConfigError, UsageError: there is no such recipe or it is wrong, or it has a teacher itself.
    """
    recipe = read_recipe(plan.teacher, variant=plan.variant, settings=plan.settings)
    if any(setting.partition("=")[0].strip() == "max_minutes" for setting in plan.settings):
        raise UsageError(
            "distill.settings: max_minutes is of no use there: the teacher may take as long as "
            "distill.max_minutes says, set that"
        )
    if recipe.distill is not None:
        raise UsageError(
            f"distill.teacher: {plan.teacher} learns from a teacher itself: name that one, or a "
            "recipe without distill"
        )
    return recipe


def teach(
    prepared: Prepared,
    plan: DistillPlan,
    *,
    choosing: npt.NDArray[np.int64] | None = None,
    check_stop: Callable[[], None] = lambda: None,
) -> Taught:
    """What the teacher says of each training picture and its copies.

    A teacher that is a recipe is trained on the training pictures, its epoch chosen by those that
    choose the student's, and what it says is saved in the cache: the next training on the same
    pictures, split and copies needs no teacher.

    Args:
        prepared: the student's pictures and recipe.
        plan: the teacher.
        choosing: indices of the pictures that choose the best epoch; None: all of validation.
        check_stop: raises if the user wants to stop.

    Raises:
        ConfigError, UsageError: the teacher's recipe is wrong.
        RunError: a teacher that is a run has other classes, or has learned from pictures that the
            student is to be validated or tested on.
        StopTraining: the user stopped the teacher, of which nothing is kept.
        StorageError: the disk is full.
    """
    train = prepared.of("train")
    choosing = prepared.of("validation") if choosing is None else choosing
    keys = [prepared.decoded.digests[i] for i in train]
    copies, classes = 1 + prepared.recipe.augment.copies, len(prepared.labels)
    trained_here = not is_run(plan.teacher)
    teachers = plan.folds if trained_here and not plan.cross_fit else 1
    folder = cache_folder() / "teachers" / _key(prepared, plan, choosing)
    with RowStore(folder, shape=(teachers, copies, classes), dtype=np.float16) as store:
        if (store.find(keys) < 0).any():
            _log.info(f"teacher: {plan.teacher}, {number_of(len(train), 'pictures')}")
            of = _of_recipe if trained_here else _of_run
            found, told = of(prepared, plan, choosing, check_stop)
            write_file(folder / _TOLD, json.dumps(told) + "\n")
            store.claim(len(keys))
            store.append(keys, found.transpose(1, 0, 2, 3))
        else:
            told = _told_before(folder / _TOLD)
            _log.info(f"teacher: {plan.teacher}, from the cache")
        for line in told:
            _log.info(line)
        logits = store.read(store.find(keys)).astype(np.float32)
    drop_oldest(cache_folder(), cache_limit())
    said = softmax(logits.reshape(-1, classes) / plan.temperature).reshape(logits.shape)
    taught = np.zeros((len(prepared.pictures), copies, classes), np.float16)
    taught[train] = said.mean(axis=1)
    return Taught(taught, tuple(told))


def _told_before(file: Path) -> list[str]:
    """What was told of a teacher when it was trained."""
    try:
        with storage_errors("read", file):
            lines = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, StorageError):
        return ["of the teacher in the cache nothing is known any more but what it says"]
    return [str(line) for line in lines]


def _key(prepared: Prepared, plan: DistillPlan, choosing: npt.NDArray[np.int64]) -> str:
    """Hex digits that change with the pictures, their split, the copies, the teacher, the code that
    trains it, and TensorFlow."""
    import tensorflow as tf

    if is_run(plan.teacher):
        teacher = _content(Path(plan.teacher) / MODEL)
    else:
        recipe = teacher_recipe(plan)
        teacher = f"{recipe_yaml(recipe)} {plan.folds} {plan.cross_fit} {plan.max_minutes}"
        if recipe.network.weights not in ("imagenet", "none"):
            teacher += _content(Path(recipe.network.weights))
    # Whom a teacher of a fold has met depends on which pictures go together.
    groups = [each.group for each in prepared.pictures] if plan.folds > 1 else []
    facts = [
        prepared.digest, groups, list(prepared.labels), prepared.seed, teacher,
        sorted(prepared.decoded.digests[i] for i in choosing),
        prepared.recipe.augment.model_dump(mode="json"), code_digest(augment),
        prepared.recipe.input.crop, prepared.recipe.input.padding,
        code_digest(fit), code_digest(networks), preprocessing_digest(prepared.recipe.input),
        tf.__version__,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:20]


def _content(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal; empty where there is none, which is told elsewhere."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _of_recipe(
    prepared: Prepared,
    plan: DistillPlan,
    choosing: npt.NDArray[np.int64],
    check_stop: Callable[[], None],
) -> tuple[Logits, list[str]]:
    """(the logits of teachers that are trained here, what is to be known of them).

    What cross-fitted teachers say counts as that of one: each has scored a part.
    """
    recipe = teacher_recipe(plan)
    shown = {"crop": prepared.recipe.input.crop, "padding": prepared.recipe.input.padding}
    recipe = recipe.model_copy(
        update={
            # The teacher sees the copies that the student sees, at its own size.
            "augment": prepared.recipe.augment,
            "input": recipe.input.model_copy(update=shown),
        }
    )
    own = replace(
        prepared,
        recipe=recipe,
        network=build_network(
            recipe.network, recipe.input, len(prepared.labels), seed=prepared.seed
        ),
        decoded=decode_pictures(prepared.pictures, recipe.input),
        earlier=None,
    )
    train = own.of("train")
    data = training_set(
        own,
        recipe.phases,
        with_copies=own.split == "train",
        train=train,
        validation=choosing,
        check_stop=check_stop,
    )
    untrained = own.network.state()
    fold = np.array(
        fold_pictures([own.pictures[i] for i in train], plan.folds, seed=own.seed)
        if plan.folds > 1
        else [-1] * len(train)
    )
    seconds = 60 * plan.max_minutes / plan.folds
    found, told = [], []
    for number in range(plan.folds):
        asked = train[fold == number] if plan.cross_fit else train
        if not len(asked):
            continue  # there are fewer groups than folds
        own.network.restore(untrained)
        best = run_phases(
            own.network,
            recipe,
            recipe.phases,
            replace(data, train=train[fold != number]),
            seed=own.seed + number,
            budget=Budget(time.monotonic() + seconds, check_stop, quiet=True),
        )
        check_stop()  # of a teacher that the user has stopped nothing is to be learned, or kept
        told.append(
            f"teacher {number + 1} of {plan.folds}: {best.accuracy:.1%} of "
            f"{number_of(len(choosing), 'validation pictures')} right"
            + (", though its training was cut short" if best.cut_short else "")
        )
        found.append(_said(own, data, asked))
    if not plan.cross_fit:
        return np.stack(found), told
    whole, known = _joined(own, train, fold, found)
    if known.any():
        right = (whole[:, 0].argmax(axis=1) == own.truth[train])[known].mean()
        told.append(
            f"{right:.1%} of {number_of(int(known.sum()), 'training pictures')} right, each by the "
            "teacher that left it out"
        )
    return whole[None], told


def _joined(
    own: Prepared,
    train: npt.NDArray[np.int64],
    fold: npt.NDArray[np.int64],
    found: Sequence[Logits],
) -> tuple[Logits, npt.NDArray[np.bool_]]:
    """(the logits of all training pictures, whether their teachers knew their class).

    Args:
        fold: of each of the pictures `train`, the teacher that left it out.
        found: what each teacher says of the pictures that it left out, in the order of teachers.
    """
    whole = np.empty((len(train), *found[0].shape[1:]), np.float16)
    whole[np.argsort(fold, kind="stable")] = np.concatenate(found)
    known = np.ones(len(train), np.bool_)
    for number in np.unique(fold):
        left_out = fold == number
        for label in sorted(set(own.truth[train[left_out]]) - set(own.truth[train[~left_out]])):
            # Who left these out has met none of their class, and would say that there is none.
            alone = left_out & (own.truth[train] == label)
            known &= ~alone
            whole[alone] = np.where(np.arange(whole.shape[-1]) == label, _CERTAIN, 0)
            _log.warning(
                f"warning    {own.labels[label]!r}: "
                f"{number_of(int(alone.sum()), 'training pictures', verb='lie')} in one group, and "
                "none in another, so no teacher that left them out knows this class: of them the "
                "network learns by their label alone. Add pictures of it"
            )
    return whole, known


def _said(own: Prepared, data: TrainingSet, train: npt.NDArray[np.int64]) -> Logits:
    """(pictures, 1 + copies, classes), the logits of the trained network of `own` for `train`."""
    network, recipe = own.network, own.recipe
    cut = min((phase.train_from for phase in recipe.phases), key=network.depth)
    forward = scorer_at(network, cut)
    # A teacher whose phases are fresh has no saved copies.
    saved = None if cut == INPUT or all_fresh(recipe.phases) else data.features[cut]
    inputs: Callable[[npt.NDArray[np.int64], int], Any]
    if saved is None:
        forward = scorer_at(network, INPUT)

        def inputs(chunk: npt.NDArray[np.int64], copy: int) -> Any:
            return _copies(own.decoded, chunk, copy, recipe.augment)

    else:
        outputs = saved

        def inputs(chunk: npt.NDArray[np.int64], copy: int) -> Any:
            return outputs[chunk, copy]

    return _scored(forward, inputs, train, 1 + recipe.augment.copies)


def _of_run(
    prepared: Prepared,
    plan: DistillPlan,
    choosing: npt.NDArray[np.int64],
    check_stop: Callable[[], None],
) -> tuple[Logits, list[str]]:
    """(the logits of a finished run, what is to be known of it)."""
    path = Path(plan.teacher)
    if not (path / FACTS).is_file():
        raise RunError(f"distill.teacher: {path} is a folder, but not a finished run")
    run = read_run(path)
    if run.facts.labels != prepared.labels:
        raise RunError(
            f"distill.teacher: {path} knows {in_a_sentence(list(run.facts.labels))}, and the "
            f"pictures are of {in_a_sentence(list(prepared.labels))}: a teacher must know the same"
        )
    rows = earlier_rows(path)
    told = check_unseen(prepared, run, rows)
    model = run.load_model()
    network = Network(model, pretrained=False)
    if model.get_layer(LOGITS).output.shape[-1] != len(prepared.labels):
        raise RunError(f"{path}: its model has other classes than its {FACTS}. Train again")
    decoded = decode_pictures(prepared.pictures, run.facts.input)
    forward = scorer_at(network, INPUT)

    def inputs(chunk: npt.NDArray[np.int64], copy: int) -> Any:
        check_stop()
        return _copies(decoded, chunk, copy, prepared.recipe.augment)

    train = prepared.of("train")
    logits = _scored(forward, inputs, train, 1 + prepared.recipe.augment.copies)
    # The temperature that was folded in is taken out: the plan has one of its own.
    told += ["the teacher's training was cut short"] * run.facts.stopped_early
    chose = {row.sha256 for row in rows if row.split == "validation"}
    if any(
        prepared.decoded.digests[i] in chose for i in set(prepared.of("validation")) - set(choosing)
    ):
        told.append(
            "pictures by which the thresholds are chosen have chosen the teacher's epoch: what is "
            "promised may be a little too good"
        )
    return np.asarray(logits * run.facts.temperature, np.float16)[None], told


def _copies(
    decoded: DecodedPictures, chunk: npt.NDArray[np.int64], copy: int, plan: AugmentPlan
) -> npt.NDArray[np.float32]:
    """The pictures, or their copies of this number, as a student's saved outputs were made of."""
    tensors = decoded.tensors[chunk]
    if copy:
        tensors = np.stack(
            [
                augmented(tensor, plan, copy_chance(decoded.digests[i], copy))
                for i, tensor in zip(chunk.tolist(), tensors, strict=True)
            ]
        )
    return np.asarray(tensors, np.float32)


def _scored(
    forward: Callable[[npt.NDArray[np.float32]], Any],
    inputs: Callable[[npt.NDArray[np.int64], int], Any],
    train: npt.NDArray[np.int64],
    copies: int,
) -> Logits:
    rows = []
    with Progress("teacher", total=len(train) * copies) as progress:
        for copy in range(copies):
            parts = []
            for start in range(0, len(train), _CHUNK):
                chunk = train[start : start + _CHUNK]
                parts.append(forward(np.asarray(inputs(chunk, copy), np.float32)).numpy())
                progress.advance(len(chunk))
            rows.append(np.concatenate(parts))
    return np.stack(rows, axis=1).astype(np.float16)
