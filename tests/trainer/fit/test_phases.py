"""The pace of learning, what counts as best, and when it is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edge.core.images.preprocess import InputSpec
from tests.trainer.tiny import tiny_network
from trainer.fit import checkpoint
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.optimizers import Optimizers
from trainer.fit.phases import Best, Budget, Epoch, StopTraining, run_phases
from trainer.fit.predict import TrainingSet
from trainer.networks import Network, build_network
from trainer.recipes.plan import AugmentPlan, NetworkPlan, PhasePlan, Recipe, TargetPlan

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
SPEC = InputSpec(height=32, width=32)
HEAD = PhasePlan(name="head", train_from="pooled", epochs=5, learning_rate=0.02)


@pytest.fixture(scope="module")
def network() -> Network:
    plan = NetworkPlan(name="convnet", weights="none", dropout=0)
    return build_network(plan, SPEC, 2, seed=0)


@pytest.fixture(scope="module")
def tiny() -> Network:
    """For trainings of all layers, of which TensorFlow traces each."""
    with tiny_network():
        return build_network(NetworkPlan(name="tiny", weights="none", dropout=0), SPEC, 2, seed=0)


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
    saved: Checkpoint | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> Best:
    return run_phases(
        network,
        recipe(*phases),
        phases,
        data,
        seed=1,
        budget=Budget(deadline, on_epoch=on_epoch, clock=Clock(step)),
        checkpoint=saved,
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
    still = HEAD.model_copy(update={"learning_rate": 1e-9, "weight_decay": 0})
    best = train(network, misled(data), still, spoiled)
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


def test_enough_is_enough_once_it_is_confirmed(network: Network, data: TrainingSet) -> None:
    target = TargetPlan(accuracy=0.9, confirm=3, min_epochs=5)
    long = HEAD.model_copy(update={"epochs": 60, "stop_at": target})
    best = train(network, data, long, HEAD.model_copy(update={"name": "never"}))
    assert best.reached
    assert not best.cut_short
    accuracies = [line.validation_accuracy for line in best.history]
    assert 5 <= len(accuracies) < 60
    assert min(accuracies[-3:]) >= 0.9
    assert {line.phase for line in best.history} == {"head"}


def test_a_target_reached_once_and_lost_again_is_not_reached(
    network: Network, data: TrainingSet
) -> None:
    target = TargetPlan(accuracy=0.9, confirm=50)
    best = train(network, data, HEAD.model_copy(update={"stop_at": target, "epochs": 8}))
    assert not best.reached
    assert len(best.history) == 8


def test_a_target_of_the_training_pictures_says_nothing_of_others(
    network: Network, data: TrainingSet
) -> None:
    turned = np.where(np.arange(60) < 40, data.truth, 1 - data.truth)
    misled = TrainingSet(data.tensors, turned, data.features, data.train, data.validation)
    target = TargetPlan(accuracy=0.9, of="training", confirm=1)
    best = train(network, misled, HEAD.model_copy(update={"stop_at": target, "epochs": 30}))
    assert best.reached
    assert best.history[-1].accuracy >= 0.9
    assert best.history[-1].validation_accuracy <= 0.5


def test_patience_ends_a_phase_and_the_next_one_begins(network: Network, data: TrainingSet) -> None:
    wild = HEAD.model_copy(
        update={"learning_rate": 1.0, "epochs": 100, "early_stopping": 3, "warmup": 0}
    )
    best = train(network, data, wild, HEAD.model_copy(update={"name": "more", "epochs": 1}))
    wild_lines = [line for line in best.history if line.phase == "head"]
    assert len(wild_lines) < 100
    lowest = min(line.validation_loss for line in wild_lines)
    assert [line.validation_loss for line in wild_lines].index(lowest) == len(wild_lines) - 4
    assert best.history[-1].phase == "more"


def test_a_plateau_brings_the_rate_down(network: Network, data: TrainingSet) -> None:
    wild = HEAD.model_copy(
        update={
            "learning_rate": 1.0,
            "rate_floor": 0,
            "epochs": 12,
            "schedule": "plateau",
            "patience": 1,
        }
    )
    rates = [line.learning_rate for line in train(network, data, wild).history]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(rates[0] / 3 ** (len(set(rates)) - 1))
    assert len(set(rates)) > 1


def test_a_moving_average_lags_behind_the_steps(network: Network, data: TrainingSet) -> None:
    start = network.model.get_weights()
    phase = HEAD.model_copy(update={"epochs": 6, "warmup": 0, "rate_floor": 1.0})
    moved = {}
    for name, decay in {"steps": 0.0, "average": 0.99}.items():
        network.model.set_weights(start)
        train(network, data, phase.model_copy(update={"ema": decay}))
        moved[name] = np.abs(network.model.get_weights()[-2] - start[-2]).mean()
    assert 0 < moved["average"] < 0.9 * moved["steps"]


def misled(data: TrainingSet) -> TrainingSet:
    """The same pictures, with the labels of those to train on turned round."""
    turned = np.where(np.arange(60) < 40, 1 - data.truth, data.truth)
    return TrainingSet(data.tensors, turned, data.features, data.train, data.validation)


WILD = HEAD.model_copy(
    update={"name": "wild", "learning_rate": 1.0, "schedule": "constant", "warmup": 0}
)


def validation_accuracy(network: Network, data: TrainingSet) -> float:
    logits = network.upper("pooled")(data.features["pooled"][data.validation, 0]).numpy()
    return float((logits.argmax(axis=1) == data.truth[data.validation]).mean())


@pytest.mark.parametrize("average_from", [1, 0.3])
def test_the_last_epoch_is_kept_where_a_recipe_says_so(
    network: Network, data: TrainingSet, average_from: float
) -> None:
    changed = {"keep": "last", "average_from": average_from}
    still = HEAD.model_copy(update={"learning_rate": 1e-9, "weight_decay": 0})
    train(network, data, HEAD.model_copy(update={"learning_rate": 0.1, "epochs": 10}))
    best = train(network, misled(data), still, WILD.model_copy(update=changed))
    last = best.history[-1]
    assert last.validation_loss > min(line.validation_loss for line in best.history)
    assert (best.loss, best.accuracy) == (last.validation_loss, last.validation_accuracy)
    assert best.kept == len(best.history) - 1
    # What the network is left with is that epoch, too.
    assert validation_accuracy(network, data) == pytest.approx(last.validation_accuracy)


def test_a_phase_that_is_stopped_before_its_last_epoch_leaves_the_best(
    network: Network, data: TrainingSet
) -> None:
    def stop(epoch: Epoch) -> None:
        if (epoch.phase, epoch.epoch) == ("wild", 2):
            raise StopTraining

    still = HEAD.model_copy(update={"learning_rate": 1e-9, "weight_decay": 0})
    wild = WILD.model_copy(update={"keep": "last"})
    best = train(network, misled(data), still, wild, on_epoch=stop)
    assert best.cut_short
    assert best.history[-1].phase == "wild"
    assert best.loss == min(line.validation_loss for line in best.history)
    assert best.loss < best.history[-1].validation_loss
    assert best.kept is not None
    assert best.history[best.kept].validation_loss == best.loss
    assert validation_accuracy(network, data) == pytest.approx(best.accuracy)


def test_the_last_epoch_is_not_kept_where_an_earlier_training_was_better(
    network: Network, data: TrainingSet
) -> None:
    train(network, data, HEAD)
    trained = replace(network, trained=True)
    best = train(trained, misled(data), WILD.model_copy(update={"keep": "last"}))
    assert best.history[-1].validation_loss > best.start_loss
    assert best.accuracy == best.start == 1.0
    assert best.kept is None
    assert validation_accuracy(network, data) == 1.0


@pytest.mark.parametrize(("clip", "moved"), [(1.0, 0.19), (0.0, 19.0)])
def test_long_gradients_are_clipped_unless_the_recipe_says_not(
    network: Network, clip: float, moved: float
) -> None:
    phase = HEAD.model_copy(update={"optimizer": "sgd", "weight_decay": 0, "clip": clip})
    optimizers = Optimizers(phase, network.upper("pooled"))
    optimizers.set_rate(0.1)
    before = [np.array(variable.numpy()) for variable in optimizers.variables]
    gradients = [np.zeros(v.shape, np.float32) for v in optimizers.variables]
    for gradient in gradients:
        gradient.flat[0] = 100
    optimizers.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients])
    for variable, was in zip(optimizers.variables, before, strict=True):
        assert float(np.abs(variable.numpy() - was).max()) == pytest.approx(moved, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "nadam", "rmsprop", "sgd"])
def test_every_optimizer_learns(network: Network, data: TrainingSet, optimizer: str) -> None:
    best = train(network, data, HEAD.model_copy(update={"optimizer": optimizer, "epochs": 8}))
    assert best.history[-1].validation_loss < best.history[0].validation_loss


def test_lower_layers_learn_more_slowly(tiny: Network, data: TrainingSet) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (60, 32, 32, 3), np.uint8)
    given = TrainingSet(pictures, data.truth, {}, data.train, data.validation)
    whole = HEAD.model_copy(
        update={"train_from": "input", "epochs": 1, "optimizer": "sgd", "weight_decay": 0}
    )
    start = tiny.model.get_weights()
    moved = {}
    for decay in (1.0, 0.1):
        tiny.model.set_weights(start)
        train(tiny, given, whole.model_copy(update={"layer_decay": decay}))
        ends = [tiny.model.get_layer(name) for name in ("conv_1", "logits")]
        now = [layer.get_weights()[0] for layer in ends]
        tiny.model.set_weights(start)
        moved[decay] = [
            float(np.abs(value - layer.get_weights()[0]).mean())
            for layer, value in zip(ends, now, strict=True)
        ]
    (stem, head), (slow_stem, slow_head) = moved[1.0], moved[0.1]
    assert slow_stem < 0.02 * stem
    assert slow_head > 0.2 * head


class KilledError(Exception):
    """Stands in for a signal that nothing can catch."""


@pytest.fixture(scope="module")
def never_killed() -> dict[str, tuple[Best, list[np.ndarray]]]:
    """What trainings came to that nobody killed, and their weights, by their options."""
    return {}


@pytest.mark.parametrize("after", [1, 3, 4, 5, 8])
@pytest.mark.parametrize("options", [{}, {"ema": 0.9}, {"average_from": 0.2}])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    network: Network,
    data: TrainingSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    never_killed: dict[str, tuple[Best, list[np.ndarray]]],
    after: int,
    options: dict[str, Any],
) -> None:
    """Killed after so many epochs, the state of every epoch saved."""
    monkeypatch.setattr(checkpoint, "EVERY", 0)
    phases = [
        HEAD.model_copy(update={"epochs": 4, "mixup": 0.2, **options}),
        HEAD.model_copy(update={"name": "more", "schedule": "plateau", "early_stopping": 2}),
    ]
    start = network.model.get_weights()
    if str(options) not in never_killed:
        never_killed[str(options)] = train(network, data, *phases), network.model.get_weights()
        network.model.set_weights(start)
    whole, expected = never_killed[str(options)]

    seen: list[Epoch] = []

    def kill(epoch: Epoch) -> None:
        seen.append(epoch)
        if len(seen) == after:
            raise KilledError

    saved = Checkpoint.begin(tmp_path / "c", {}, resume=False)
    with pytest.raises(KilledError):
        train(network, data, *phases, saved=saved, on_epoch=kill)
    network.model.set_weights([np.zeros_like(weights) for weights in start])
    again = (
        train(network, data, *phases, saved=Checkpoint.begin(tmp_path / "c", {}, resume=True))
        if after > 1
        else None
    )
    if again is None:  # nothing was saved yet: it starts from the beginning
        assert saved.load("phases") is None
        return
    for first, second in zip(expected, network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert [line.validation_loss for line in again.history] == [
        line.validation_loss for line in whole.history
    ]
