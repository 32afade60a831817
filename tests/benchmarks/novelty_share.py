"""How many known pictures are called unknown, and how often a report's interval says so.

    KERAS_HOME=... python -m tests.benchmarks.novelty_share SET [SET ...] [--splits 30]
        [--groups NAME=PLAN ...] [--score auto] [--json]

Each split of a set puts a third of its pictures aside, which nothing sees, and divides the others
80/10/10. A network of one hidden layer on frozen MobileNetV2 features is trained by the trainer's
own phases, its epoch chosen by validation pictures, and calibrated by `calibrate` with cross-fitted
models, as every training is. The report's interval is that of the test pictures that it calls
unknown. Counted is how often the share among the pictures put aside lies within it (which is a
share of a few hundred itself, and costs two or three of the 95 times in 100), how often a limit of
which no note says that it is a rough one keeps 95 % of them, and how often the report's figure of
what is kept on validation pictures holds it in its interval. A hidden layer, not the frozen
features alone, because layers that were trained see training pictures otherwise than new ones. NAME
is the set's file or folder, without its ending.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.model.metrics import Share
from trainer.audit.pooled_features import SPEC, pooled_features
from trainer.calibration.calibrate import calibrate
from trainer.calibration.validation_parts import validation_parts
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.data.split import split_pictures
from trainer.data.stratified_split import fold_pictures
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.phases import Budget, run_phases
from trainer.fit.predict import TrainingSet
from trainer.fit.prepare import Prepared
from trainer.fit.trained import TrainedModel
from trainer.networks import FEATURES, INPUT, LOGITS, POOLED, SCORES, Network
from trainer.recipes.plan import AugmentPlan, PhasePlan, Recipe, SplitPlan, UnknownPlan
from trainer.statistics.intervals import Resampling

Rows = npt.NDArray[np.float32]

_COMPONENTS, _HIDDEN = 128, 64
_ASIDE, _PARTS = 3, 10
HEAD = PhasePlan(name="head", train_from=FEATURES, epochs=20, learning_rate=0.003)


@dataclass(frozen=True, slots=True)
class Found:
    """One split of a set."""

    aside: float
    """The share of the pictures put aside that is called unknown."""
    within: bool
    """Whether it lies within the report's interval."""
    within_kept: bool | None
    """Whether it lies within the interval of the validation pictures; None if that was not told."""
    enough: bool
    """Whether the limit is no rough one."""
    keeps: bool
    """Whether at least 95 % of the pictures put aside are kept."""


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A set of pictures with the frozen features of each."""

    decoded: DecodedPictures
    pictures: tuple[LabelledPicture, ...]
    """Those of `decoded`, each with its group."""
    rows: Rows
    """(pictures, depth), their features."""


def components(features: Rows) -> Rows:
    """The principal components of the features, which no label had a part in."""
    from sklearn.decomposition import PCA

    count = min(_COMPONENTS, *features.shape)
    found = PCA(count, svd_solver="randomized", random_state=0).fit_transform(features)
    return np.asarray(found / np.sqrt((found**2).sum(axis=1).mean() / count), np.float32)


def hidden_layer(depth: int, classes: int) -> Network:
    """A network of one hidden layer, from the features of a picture to its scores."""
    keras.utils.set_random_seed(0)
    given = keras.Input((depth,), name=INPUT)
    x = keras.layers.Identity(name=FEATURES)(given)
    x = keras.layers.Dense(_HIDDEN, activation="relu", name=POOLED)(x)
    x = keras.layers.Dropout(0.2, name="dropout", seed=0)(x)
    x = keras.layers.Dense(classes, name=LOGITS)(x)
    return Network(keras.Model(given, keras.layers.Softmax(name=SCORES)(x)), pretrained=True)


def read_set(path: Path, groups: str | None) -> PictureSet:
    """The pictures at `path`; those that are copies of one another are in one group."""
    given = [replace(picture, split="") for picture in read_picture_set(path).pictures]
    decoded = decode_pictures(given, SPEC)
    split = split_pictures(decoded, SplitPlan(), groups=groups, seed=0, spec=SPEC)
    decoded = decoded.only(split.kept)
    return PictureSet(decoded, split.pictures, components(pooled_features(decoded).means))


def splits_of(given: PictureSet, splits: int, plan: UnknownPlan) -> list[Found | None]:
    """What each split of a set comes to; None where nothing is rejected as unknown."""
    labels = tuple(sorted({picture.label for picture in given.pictures}))
    recipe = Recipe(name="novelty", phases=[HEAD], augment=AugmentPlan(copies=0), unknown=plan)
    network = hidden_layer(given.rows.shape[1], len(labels))
    untrained = network.state()
    found = []
    for seed in range(splits):
        network.restore(untrained)
        prepared = Prepared(
            recipe=recipe,
            network=network,
            decoded=given.decoded,
            pictures=given.pictures,
            labels=labels,
            truth=np.array([labels.index(picture.label) for picture in given.pictures]),
            split=_divided(given.pictures, seed=seed),
            skipped=(),
            seed=seed,
        )
        found.append(_one_split(prepared, given.rows))
    return found


def _divided(pictures: Sequence[LabelledPicture], *, seed: int) -> npt.NDArray[np.str_]:
    split = np.full(len(pictures), "aside", "<U10")
    used = np.flatnonzero(np.array(fold_pictures(pictures, _ASIDE, seed=seed)) != 0)
    part = np.array(fold_pictures([pictures[i] for i in used.tolist()], _PARTS, seed=seed + 1))
    split[used] = np.select([part == 0, part == 1], ["test", "validation"], "train")
    return split


def _one_split(prepared: Prepared, rows: Rows) -> Found | None:
    network, budget = prepared.network, Budget(float("inf"), quiet=True)
    choosing, calibration = validation_parts(prepared)
    data = TrainingSet(
        rows, prepared.truth, {FEATURES: rows[:, None]}, prepared.of("train"), choosing
    )
    untrained = network.state()
    best = run_phases(
        network, prepared.recipe, prepared.recipe.phases, data, seed=prepared.seed, budget=budget
    )
    model = TrainedModel(prepared, data, best, calibration, untrained, rows)
    with tempfile.TemporaryDirectory() as folder:
        found = calibrate(model, budget=budget, checkpoint=Checkpoint(Path(folder)))
    score = found.unknown
    if score is None or score.threshold is None:
        return None

    def called(split: str) -> npt.NDArray[np.bool_]:
        logits, pooled = model.predict(prepared.of(split))
        return score.novelty.of(logits / found.temperature, pooled) > (score.threshold or 0.0)

    test = prepared.of("test")
    groups = [str(prepared.pictures[i].group) for i in test]
    low, high = Resampling(groups, len(test)).share(called("test")).interval or (0.0, 1.0)
    share = float(called("aside").mean())
    kept = score.kept.interval
    return Found(
        aside=share,
        within=low <= share <= high,
        within_kept=None if kept is None else kept[0] <= 1 - share <= kept[1],
        enough="rough" not in score.note,
        keeps=share <= 1 - score.keep,
    )


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--groups", action="append", default=[], metavar="NAME=PLAN")
    parser.add_argument("--splits", type=int, default=30, help="of each set (30)")
    parser.add_argument("--score", choices=("auto", "energy", "distance", "both"), default="auto")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(words)
    plan = UnknownPlan(score=arguments.score)
    groups = dict(pair.split("=", 1) for pair in arguments.groups)
    results: dict[str, list[Found | None]] = {}
    for path in arguments.sets:
        given = read_set(path, groups.get(path.stem))
        with threadpool_limits(1):
            results[path.stem] = splits_of(given, arguments.splits, plan)
        if not arguments.json:
            print(line(path.stem, results[path.stem]), flush=True)
    everything = [each for found in results.values() for each in found]
    if arguments.json:
        told = {name: summary(found) for name, found in results.items()}
        print(json.dumps(told | {"all sets": summary(everything)}, indent=2))
    else:
        print(line("all sets", everything))
    return 0


def line(name: str, found: Sequence[Found | None]) -> str:
    """The figures of a set, in a line."""
    return f"{name}: {'; '.join(f'{key} {value}' for key, value in summary(found).items())}"


def summary(found: Sequence[Found | None]) -> dict[str, str]:
    """The figures of the splits of one set, in words."""
    there = [each for each in found if each is not None]
    enough = [each for each in there if each.enough]
    mean = f"{np.mean([each.aside for each in there]):.1%}" if there else "-"
    return {
        "splits with a limit": f"{len(there)} of {len(found)}",
        "called unknown of those put aside, mean": mean,
        "within the report's interval": _counted([e.within for e in there]),
        "within that of the validation pictures": _counted(
            [e.within_kept for e in there if e.within_kept is not None]
        ),
        "kept 95 %, set by enough pictures": _counted([e.keeps for e in enough]),
        "kept 95 %, of all": _counted([e.keeps for e in there]),
    }


def _counted(hits: Sequence[bool]) -> str:
    share = Share(sum(hits), len(hits))
    low, high = share.interval or (0.0, 1.0)
    return f"{share.count} of {share.total} ({low:.0%} to {high:.0%})"


if __name__ == "__main__":
    sys.exit(main())
