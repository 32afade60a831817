"""How often `compare` tells a way from itself: trainings of one way under two names.

    KERAS_HOME=... python -m tests.benchmarks.same_ways SET [SET ...] [--comparisons 100]
        [--seeds 3 | --folds 5] [--groups NAME=PLAN ...] [--json]

Both ways train a network of one hidden layer on frozen MobileNetV2 features, by the trainer's own
phases, with other starting weights and another order of the pictures for each training. On every
split both are trained and tested on the same pictures, and the comparison is that of the verb:
splits by three seeds (80/10/10), or the folds of a cross-validation. Counted is how many of the
comparisons say that a difference is sure. Each draws splits of its own, though of the same
pictures, so the comparisons of one set are not quite independent. NAME is the set's file or folder,
without its ending.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from edge.core.model.metrics import Share
from tests.benchmarks.novelty_share import HEAD, PictureSet, hidden_layer, read_set
from trainer.compare.comparison import WayComparison, WayOutcome, compare_outcomes
from trainer.data.stratified_split import fold_pictures
from trainer.evaluation.predictions import TestPrediction
from trainer.fit.phases import Budget, run_phases
from trainer.fit.predict import TrainingSet, predict
from trainer.networks import FEATURES, LOGITS, POOLED, Network
from trainer.recipes.plan import AugmentPlan, Recipe

Numbers = npt.NDArray[np.int64]

_WAYS = ("one", "the same")
_PARTS = 10


def compared(
    given: PictureSet, comparisons: int, *, seeds: int = 3, folds: int | None = None
) -> Iterator[WayComparison]:
    """Comparisons of a way with itself, each on splits of its own.

    Args:
        given: the pictures.
        comparisons: how many.
        seeds: splits of each.
        folds: of a cross-validation, in place of seeds.
    """
    labels = sorted({picture.label for picture in given.pictures})
    truth = np.array([labels.index(picture.label) for picture in given.pictures])
    network = hidden_layer(given.rows.shape[1], len(labels))
    for number in range(comparisons):
        outcomes: dict[str, list[WayOutcome]] = {way: [] for way in _WAYS}
        for place, (train, validation, test) in enumerate(
            _splits(given, number, seeds=seeds, folds=folds)
        ):
            data = TrainingSet(
                given.rows, truth, {FEATURES: given.rows[:, None]}, train, validation
            )
            for way, found in outcomes.items():
                chance = np.random.default_rng((number, place, _WAYS.index(way)))
                best = _trained(network, data, test, chance)
                predictions = {
                    str(i): TestPrediction(
                        str(i), str(given.pictures[i].group), labels[truth[i]], labels[said], 0.0
                    )
                    for i, said in zip(test.tolist(), best.tolist(), strict=True)
                }
                found.append(WayOutcome(str(place), predictions, len(train), 0.0, False, 0))
        yield compare_outcomes(outcomes, {}, folds=folds)


def _splits(
    given: PictureSet, number: int, *, seeds: int, folds: int | None
) -> Iterator[tuple[Numbers, Numbers, Numbers]]:
    """(those to train on, to choose the epoch by, to test on) of each training."""
    for place in range(folds or seeds):
        chance = 1000 * number + (0 if folds else place)
        part = np.array(fold_pictures(given.pictures, folds or _PARTS, seed=chance))
        tested = place if folds else 0
        test, rest = np.flatnonzero(part == tested), np.flatnonzero(part != tested)
        inner = np.array(fold_pictures([given.pictures[i] for i in rest], 9, seed=chance + 1))
        yield rest[inner != 0], rest[inner == 0], test


def _trained(
    network: Network, data: TrainingSet, test: Numbers, chance: np.random.Generator
) -> Numbers:
    """The class for which a new training takes each test picture."""
    for name in (POOLED, LOGITS):
        kernel, bias = network.model.get_layer(name).get_weights()
        limit = np.sqrt(6 / sum(kernel.shape))
        drawn = chance.uniform(-limit, limit, kernel.shape).astype(np.float32)
        network.model.get_layer(name).set_weights([drawn, np.zeros_like(bias)])
    recipe = Recipe(name="same", phases=[HEAD], augment=AugmentPlan(copies=0))
    seed = int(chance.integers(2**31))
    budget = Budget(float("inf"), quiet=True)
    run_phases(network, recipe, recipe.phases, data, seed=seed, budget=budget)
    return np.asarray(predict(network, FEATURES, data, test)[0].argmax(axis=1), np.int64)


def told(found: Sequence[WayComparison]) -> dict[str, str]:
    """The figures of several comparisons, in words."""
    sure = Share(sum(each.pairs[0].sure for each in found), len(found))
    low, high = sure.interval or (0.0, 1.0)
    changes = [100 * each.pairs[0].difference.value for each in found]
    return {
        "told from itself": f"{sure.count} of {sure.total} ({low:.1%} to {high:.1%})",
        "deviation of the difference": f"{np.std(changes):.2f} points",
        "mean half of its interval": f"{np.mean([_half(each) for each in found]):.2f} points",
    }


def _half(found: WayComparison) -> float:
    low, high = found.pairs[0].difference.interval
    return 50 * (high - low)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--groups", action="append", default=[], metavar="NAME=PLAN")
    parser.add_argument("--comparisons", type=int, default=100, help="of each set (100)")
    parser.add_argument("--seeds", type=int, default=3, help="splits of a comparison (3)")
    parser.add_argument("--folds", type=int, help="in place of --seeds")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(words)
    groups = dict(pair.split("=", 1) for pair in arguments.groups)
    everything: list[WayComparison] = []
    results = {}
    for path in arguments.sets:
        given = read_set(path, groups.get(path.stem))
        with threadpool_limits(1):
            found = [
                *compared(
                    given, arguments.comparisons, seeds=arguments.seeds, folds=arguments.folds
                )
            ]
        everything += found
        results[path.stem] = told(found)
        if not arguments.json:
            print(f"{path.stem}: {results[path.stem]}", flush=True)
    results["all sets"] = told(everything)
    print(json.dumps(results, indent=2) if arguments.json else f"all sets: {results['all sets']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
