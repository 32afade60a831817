"""Weights of classes, the pace of learning, and what counts as best."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edge.model.preprocess import InputSpec
from trainer.networks import Network, build_network
from trainer.phases import TrainingSet, class_weights, run_phases
from trainer.recipe import AugmentPlan, NetworkPlan, PhasePlan, Recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
HEAD = PhasePlan(name="head", train_from="pooled", epochs=5, learning_rate=0.02)


@pytest.mark.parametrize(("kind", "ratio"), [("none", 1.0), ("sqrt", 2.0), ("balanced", 4.0)])
def test_rare_classes_weigh_more(kind: str, ratio: float) -> None:
    truth = np.array([0] * 80 + [1] * 20)
    weights = class_weights(truth, 2, kind)
    assert weights[1] / weights[0] == pytest.approx(ratio)
    assert weights[truth].mean() == pytest.approx(1)


@pytest.fixture(scope="module")
def network() -> Network:
    plan = NetworkPlan(alpha=0.35, weights="none", dropout=0)
    return build_network(plan, InputSpec(height=32, width=32), 2, seed=0)


@pytest.fixture
def data(network: Network) -> TrainingSet:
    """Pooled features that tell two classes apart at a glance."""
    truth = np.arange(60) % 2
    depth = network.model.get_layer("pooled").output.shape[-1]
    pooled = np.random.default_rng(0).normal(0, 0.1, (60, 3, depth))
    pooled[truth == 1] += 3
    return TrainingSet(
        tensors=np.zeros((60, 32, 32, 3), np.uint8),
        truth=truth,
        features={"pooled": pooled.astype(np.float16)},
        train=np.arange(40),
        validation=np.arange(40, 60),
    )


class Clock:
    """Goes on by `step` seconds each time it is read."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def recipe(*phases: PhasePlan) -> Recipe:
    return Recipe(name="x", phases=list(phases), augment=AugmentPlan(copies=2), batch_size=10)


@pytest.fixture(autouse=True)
def as_it_was(network: Network) -> Iterator[None]:
    before = network.model.get_weights()
    yield
    network.model.set_weights(before)


def train(
    network: Network,
    data: TrainingSet,
    *phases: PhasePlan,
    step: float = 0.0,
    deadline: float = 1e9,
):  # type: ignore[no-untyped-def]
    return run_phases(
        network,
        recipe(*phases),
        phases,
        data,
        seed=1,
        deadline=deadline,
        check_stop=lambda: None,
        clock=Clock(step),
    )


def test_the_head_learns(network: Network, data: TrainingSet) -> None:
    best = train(network, data, HEAD)
    assert best.accuracy == 1.0
    assert not best.cut_short
    assert [line.epoch for line in best.history] == [1, 2, 3, 4, 5]


def test_a_later_phase_that_spoils_the_model_is_not_kept(
    network: Network, data: TrainingSet
) -> None:
    """The best epoch is kept across phases: a new phase does not start from minus infinity."""
    spoiled = PhasePlan(
        name="spoil", train_from="pooled", epochs=3, learning_rate=1, weight_decay=0, warmup=0
    )
    good = train(network, data, HEAD)
    kept = [weights.copy() for weights in network.model.get_weights()]
    # The same pictures, with the labels of those to train on turned round.
    turned = np.where(np.arange(60) < 40, 1 - data.truth, data.truth)
    misled = TrainingSet(data.tensors, turned, data.features, data.train, data.validation)
    still = HEAD.model_copy(update={"learning_rate": 1e-9, "weight_decay": 0})
    best = train(network, misled, still, spoiled)
    assert best.history[-1].validation_accuracy < 0.9
    assert best.accuracy == good.accuracy == 1.0
    for expected, found in zip(kept[-2:], network.model.get_weights()[-2:], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_averaged_weights_are_the_mean_of_the_steps(network: Network, data: TrainingSet) -> None:
    """Four pictures make one step an epoch, so a training of n epochs ends after step n."""
    few = TrainingSet(data.tensors, data.truth, data.features, np.arange(4), data.validation)
    start = network.model.get_weights()
    phase = HEAD.model_copy(update={"epochs": 2, "warmup": 0, "rate_floor": 1.0})
    biases = {}
    for name, changes in {
        "first step": {"epochs": 1},
        "second step": {},
        "mean": {"average_from": 0.0},
    }.items():
        network.model.set_weights(start)
        train(network, few, phase.model_copy(update=changes))
        biases[name] = network.model.get_weights()[-1]
    middle = (biases["first step"] + biases["second step"]) / 2
    np.testing.assert_allclose(biases["mean"], middle, rtol=1e-4)
    assert not np.allclose(biases["first step"], biases["second step"], rtol=1e-2)


def test_time_that_runs_out_ends_a_phase_with_its_rate_down(
    network: Network, data: TrainingSet
) -> None:
    long = HEAD.model_copy(update={"epochs": 1000})
    best = train(network, data, long, step=0.01, deadline=2)
    assert best.cut_short
    assert len(best.history) < 1000
    assert best.history[-1].learning_rate < 0.05 * HEAD.learning_rate


def test_a_phase_that_would_not_fit_is_left_out(network: Network, data: TrainingSet) -> None:
    optional = HEAD.model_copy(update={"name": "more", "epochs": 1000, "if_time": True})
    best = train(network, data, HEAD, optional, step=0.01, deadline=5)
    assert (
        len([line for line in best.history if line.phase == "more"]) < 2
    )  # the time it took to see
    assert best.cut_short
