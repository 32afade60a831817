"""What a fold's scores are worth: a training that time cut short sets no thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.dataset import LabelledPicture
from edge.core.images.preprocess import InputSpec
from edge.core.model.metrics import Share
from trainer.calibration.calibrate import standing_in
from trainer.calibration.crossfit import (
    CrossFitted,
    Fold,
    FoldTraining,
    cross_fit,
    cross_fit_phases,
    is_far_below,
    seconds_for,
)
from trainer.data.cache import DecodedPictures
from trainer.fit.phases import Best, Budget, Epoch
from trainer.fit.predict import TrainingSet
from trainer.fit.prepare import Prepared
from trainer.networks import Network, build_network
from trainer.recipes.plan import AcceptPlan, AugmentPlan, NetworkPlan, PhasePlan, Recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
HEAD = PhasePlan(name="head", train_from="pooled", epochs=3, learning_rate=0.02)
UPPER = HEAD.model_copy(update={"name": "upper", "epochs": 10})
OPTIONAL = HEAD.model_copy(update={"name": "more", "if_time": True})
RECIPE = Recipe(
    name="x",
    phases=[HEAD, UPPER, OPTIONAL],
    augment=AugmentPlan(copies=2),
    batch_size=10,
    accept=AcceptPlan(folds=2, epochs=6),
)


class Clock:
    """Goes on by a hundredth of a second each time it is read."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


@pytest.fixture(scope="module")
def network() -> Network:
    plan = NetworkPlan(name="convnet", weights="none", dropout=0)
    return build_network(plan, InputSpec(height=32, width=32), 2, seed=0)


def fit(network: Network, *, deadline: float, seconds_a_fold: float) -> CrossFitted:
    """Two folds of 60 pictures whose pooled features tell two classes apart at a glance."""
    truth = np.arange(60) % 2
    depth = network.model.get_layer("pooled").output.shape[-1]
    pooled = np.random.default_rng(0).normal(0, 0.1, (60, 3, depth))
    pooled[truth == 1] += 3
    data = TrainingSet(
        tensors=np.zeros((60, 32, 32, 3), np.uint8),
        truth=truth,
        features={"pooled": pooled.astype(np.float16)},
        train=np.arange(60),
        validation=np.arange(60),
    )
    pictures = tuple(
        LabelledPicture(Path(f"{i}.png"), "ab"[t], str(i)) for i, t in enumerate(truth)
    )
    prepared = Prepared(
        recipe=RECIPE,
        network=network,
        decoded=DecodedPictures(pictures, data.tensors, tuple(map(str, range(60))), ()),
        pictures=pictures,
        labels=("a", "b"),
        truth=truth,
        split=np.full(60, "train"),
        skipped=(),
        seed=0,
    )
    return cross_fit(
        FoldTraining(prepared, data, [HEAD], untrained=network.state()),
        np.arange(60),
        folds=2,
        seed=0,
        budget=Budget(deadline, clock=Clock()),
        seconds_a_fold=seconds_a_fold,
    )


@pytest.mark.parametrize(
    ("deadline", "seconds_a_fold", "used", "cut_short"),
    [
        # A fold has 9 steps, and takes about 0.4 seconds of this clock.
        (1e9, 0.4, 2, 0),
        (0.6, 0.4, 1, 0),
        # None is begun that would not fit, by what is thought and by what the last one took.
        (0.3, 0.4, 0, 0),
        (0.6, 0.01, 1, 0),
        # One that did not fit after all is left out, and so is any other.
        (0.15, 0.01, 0, 1),
    ],
)
def test_folds_are_trained_whole_or_not_at_all(
    network: Network, deadline: float, seconds_a_fold: float, used: int, cut_short: int
) -> None:
    found = fit(network, deadline=deadline, seconds_a_fold=seconds_a_fold)
    assert (len(found.folds), found.cut_short, found.planned) == (used, cut_short, 2)


def epochs(**counts: int) -> list[Epoch]:
    return [
        Epoch(phase, epoch, 0.1, 0.9, 0.1, 0.9, 1e-3, seconds=2.0)
        for phase, count in counts.items()
        for epoch in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("best", "planned"),
    [
        (Best(history=epochs(head=3, upper=10)), {"head": 3, "upper": 6}),
        (Best(history=epochs(head=3, upper=10), cut_short=True), {"head": 3, "upper": 6}),
        # The final model did not come so far; the folds stand in for it as it is.
        (Best(history=epochs(head=3, upper=4), cut_short=True), {"head": 3, "upper": 4}),
        (Best(history=epochs(head=2), cut_short=True), {"head": 2}),
        # It ended early because it was good enough, or grew no better: no want of time.
        (Best(history=epochs(head=1), reached=True), {"head": 3, "upper": 6}),
    ],
)
def test_folds_train_no_longer_than_the_model_they_stand_in_for(
    best: Best, planned: dict[str, int]
) -> None:
    phases = cross_fit_phases(RECIPE, best)
    assert {phase.name: phase.epochs for phase in phases} == planned
    assert seconds_for(phases, best.history, 0.5) == sum(
        count for phase, count in planned.items() if phase in {e.phase for e in best.history}
    )


@pytest.mark.parametrize(
    ("fold", "final", "guessing", "far"),
    [
        # What a stranger met: a quarter of four classes right, beside all of them.
        (Share(284, 1140), Share(134, 134), 0.25, True),
        (Share(600, 1140), Share(134, 134), 0.25, True),
        (Share(1100, 1140), Share(134, 134), 0.25, False),
        # Fewer pictures and epochs explain some loss.
        (Share(800, 1140), Share(134, 134), 0.25, False),
        # Of few pictures little follows.
        (Share(2, 6), Share(6, 6), 0.25, False),
        # Where the final model is no better than guessing, neither need a fold be.
        (Share(26, 100), Share(25, 100), 0.25, False),
        (Share(0, 100), Share(30, 100), 0.25, True),
        (Share(0, 0), Share(30, 30), 0.25, False),
    ],
)
def test_a_fold_far_below_the_final_model_does_not_stand_in_for_it(
    fold: Share, final: Share, guessing: float, far: bool
) -> None:
    assert is_far_below(fold, final, guessing) is far


def fold_of(held: np.ndarray, *, right: float) -> Fold:
    """Of the pictures `held`, whose class is their index modulo 4, this share is right."""
    taken = np.where(np.arange(len(held)) < right * len(held), held % 4, (held + 1) % 4)
    none = np.zeros((0, 8), np.float32)
    logits = 5 * np.eye(4, dtype=np.float32)[taken]
    return Fold(held, logits, np.zeros((len(held), 8), np.float32), held[:0], none)


@pytest.mark.parametrize(
    ("shares", "scores", "images", "words"),
    [
        ((0.95, 0.95), "cross-fitted", 400, ""),
        ((0.95,), "cross-fitted", 200, "of 2 cross-fitted models 1 can be used: 1 could not be"),
        ((0.95, 0.3), "cross-fitted", 200, "1 learned far less than the final model did"),
        ((0.3,), "validation", 100, "0 can be used: 1 could not be trained whole"),
        ((), "validation", 100, "The validation split serves instead, and nothing is promised"),
    ],
)
def test_what_thresholds_are_chosen_by_is_said(
    shares: tuple[float, ...], scores: str, images: int, words: str
) -> None:
    halves = np.split(np.arange(400), 2)
    folds = tuple(fold_of(half, right=share) for half, share in zip(halves, shares, strict=False))
    kept, basis = standing_in(
        CrossFitted(folds, planned=2), np.arange(400) % 4, final=Share(99, 100)
    )
    assert (basis.scores, basis.images, basis.folds_planned) == (scores, images, 2)
    assert len(kept.folds) == basis.folds
    assert words in basis.note
    assert bool(words) is bool(basis.note)
