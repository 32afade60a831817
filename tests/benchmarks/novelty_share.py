"""How many known pictures are called unknown, and how often a report's interval says so.

    python -m tests.benchmarks.novelty_share SET [SET ...] [--splits 30] [--groups PLAN] [--json]

Each split of a set puts a third of its pictures aside, which nothing sees, and divides the others
80/10/10. A network of one hidden layer on frozen MobileNetV2 features is trained on the training
pictures and, with fewer, for two cross-fitted folds; from their outputs the novelty score is chosen
as a training chooses it. The report's interval is that of the test pictures that it calls unknown.
Counted is how often the share among the pictures put aside lies within it, and how often a limit
that enough validation pictures set keeps 95 % of known things. A hidden layer, not the frozen
features, because layers that were trained see training pictures otherwise than new ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.model.metrics import Share
from trainer.audit.pooled_features import SPEC, pooled_features
from trainer.calibration.temperature import fit_temperature
from trainer.calibration.unknown import FoldPredictions, choose_unknown
from trainer.data.cache import decode_pictures
from trainer.data.groups import assign_groups
from trainer.data.stratified_split import fold_pictures
from trainer.recipes.plan import UnknownPlan
from trainer.statistics.intervals import Resampling

Rows = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Network = Callable[[Rows], tuple[Rows, Rows]]
"""From features to logits and to the hidden layer's outputs."""

_COMPONENTS, _HIDDEN, _EPOCHS = 128, 64, 30
_ASIDE, _PARTS, _FOLDS = 3, 10, 2


@dataclass(frozen=True, slots=True)
class Found:
    """One split of a set."""

    aside: float
    """The share of the pictures put aside that is called unknown."""
    within: bool
    """Whether it lies within the report's interval."""
    enough: bool
    """Whether there were enough validation pictures."""
    keeps: bool
    """Whether at least 95 % of the pictures put aside are kept."""


def components(features: Rows) -> Rows:
    """The principal components of the features, which no label had a part in."""
    from sklearn.decomposition import PCA

    count = min(_COMPONENTS, *features.shape)
    found = PCA(count, svd_solver="randomized", random_state=0).fit_transform(features)
    return np.asarray(found / np.sqrt((found**2).sum(axis=1).mean() / count), np.float32)


def train_network(rows: Rows, truth: Indices, seed: int) -> Network:
    """A network of one hidden layer."""
    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so many epochs are not all there could be
        model = MLPClassifier(
            (_HIDDEN,), max_iter=_EPOCHS, learning_rate_init=2e-3, batch_size=32, random_state=seed
        ).fit(rows, truth)

    def outputs(others: Rows) -> tuple[Rows, Rows]:
        hidden = np.maximum(others @ model.coefs_[0] + model.intercepts_[0], 0)
        return hidden @ model.coefs_[1] + model.intercepts_[1], hidden

    return outputs


def one_split(
    rows: Rows, pictures: Sequence[LabelledPicture], *, seed: int, plan: UnknownPlan
) -> Found | None:
    """What one split comes to; None where nothing is rejected as unknown."""
    labels = sorted({picture.label for picture in pictures})
    truth = np.array([labels.index(picture.label) for picture in pictures])
    aside = np.array(fold_pictures(pictures, _ASIDE, seed=seed)) == 0
    used = np.flatnonzero(~aside)
    left = [pictures[int(index)] for index in used]
    part = np.array(fold_pictures(left, _PARTS, seed=seed + 1))
    test, validation, train = (used[mask] for mask in (part == 0, part == 1, part > 1))
    final = train_network(rows[train], truth[train], seed)
    temperature = fit_temperature(final(rows[validation])[0], truth[validation])
    known = used[part > 0]
    of = np.array(fold_pictures([pictures[i] for i in known], _FOLDS, seed=seed + 2))
    folds = [(known[of != number], known[of == number]) for number in range(_FOLDS)]
    networks = [train_network(rows[rest], truth[rest], seed) for rest, _ in folds]
    shared = fit_temperature(
        np.concatenate(
            [net(rows[held])[0] for net, (_, held) in zip(networks, folds, strict=True)]
        ),
        np.concatenate([truth[held] for _, held in folds]),
    )

    def outputs(network: Network, rest: Indices, held: Indices, by: float) -> FoldPredictions:
        logits, hidden = network(rows[held])
        groups = [str(pictures[i].group) for i in held]
        return FoldPredictions(network(rows[rest])[1], truth[rest], hidden, logits / by, groups)

    score = choose_unknown(
        plan,
        [pictures[i] for i in known],
        frozen=None,
        final=outputs(final, train, validation, temperature),
        folds=[
            outputs(net, rest, held, shared)
            for net, (rest, held) in zip(networks, folds, strict=True)
        ],
        seed=seed,
    )
    if score is None or score.threshold is None:
        return None

    def called(indices: Indices) -> npt.NDArray[np.bool_]:
        logits, hidden = final(rows[indices])
        return score.novelty.of(logits / temperature, hidden) > (score.threshold or 0.0)

    groups = [str(pictures[i].group) for i in test]
    interval = Resampling(groups, len(test)).share(called(test)).interval or (0.0, 1.0)
    share = float(called(np.flatnonzero(aside)).mean())
    return Found(
        aside=share,
        within=interval[0] <= share <= interval[1],
        enough="rough" not in score.note,
        keeps=share <= 1 - plan.keep,
    )


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--groups", metavar="PLAN", help="of sets whose names it fits: blocks:N")
    parser.add_argument("--splits", type=int, default=30, help="of each set (30)")
    parser.add_argument("--score", choices=("energy", "distance", "both"), default="both")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(words)
    plan = UnknownPlan(score=arguments.score)
    results: dict[str, list[Found | None]] = {}
    for path in arguments.sets:
        decoded = decode_pictures(read_picture_set(path).pictures, SPEC)
        pictures = assign_groups(decoded.pictures, arguments.groups)
        rows = components(pooled_features(decoded).means)
        with threadpool_limits(1):
            results[str(path)] = [
                one_split(rows, pictures, seed=seed, plan=plan) for seed in range(arguments.splits)
            ]
    told = {name: summary(found) for name, found in results.items()}
    everything = [each for found in results.values() for each in found]
    told["all sets"] = summary(everything)
    if arguments.json:
        print(json.dumps(told, indent=2))
    else:
        for name, figures in told.items():
            print(f"{name}: {'; '.join(f'{key} {value}' for key, value in figures.items())}")
    return 0


def summary(found: Sequence[Found | None]) -> dict[str, str]:
    """The figures of the splits of one set, in words."""
    there = [each for each in found if each is not None]
    enough = [each for each in there if each.enough]
    mean = f"{np.mean([each.aside for each in there]):.1%}" if there else "-"
    return {
        "splits with a limit": f"{len(there)} of {len(found)}",
        "called unknown of those put aside, mean": mean,
        "within the report's interval": _counted([e.within for e in there]),
        "kept 95 %, set by enough pictures": _counted([e.keeps for e in enough]),
    }


def _counted(hits: Sequence[bool]) -> str:
    share = Share(sum(hits), len(hits))
    low, high = share.interval or (0.0, 1.0)
    return f"{share.count} of {share.total} ({low:.0%} to {high:.0%})"


if __name__ == "__main__":
    sys.exit(main())
