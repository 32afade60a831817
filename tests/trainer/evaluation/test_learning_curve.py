"""The learning curve rises where more pictures help, and is silent where it cannot know."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.evaluation.learning_curve import MORE, LearningCurve, PowerLaw, _fit, learning_curve


@pytest.fixture(autouse=True)
def few_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than half as many draws of the folds: nothing here hangs on one draw."""
    monkeypatch.setattr("trainer.evaluation.learning_curve._REPEATS", 2)


def things(
    each: int, *, classes: int = 3, depth: int = 40, spread: float = 3.0, per_group: int = 1
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features that overlap, so that more pictures help; pictures of a group are alike."""
    rng = np.random.default_rng(7)
    truth = np.repeat(np.arange(classes), each)
    groups = [f"{label}/{n // per_group}" for label in range(classes) for n in range(each)]
    own = {name: rng.normal(0, spread, depth) for name in dict.fromkeys(groups)}
    centres = rng.normal(0, 1, (classes, depth))
    noise = rng.normal(0, spread if per_group == 1 else 0.1, (len(truth), depth))
    features = centres[truth] + noise + (0 if per_group == 1 else [own[g] for g in groups])
    return features.astype(np.float32), truth, groups


def test_accuracy_rises_with_the_pictures_and_the_forecast_goes_on() -> None:
    curve = learning_curve(*things(150), seed=1)
    sizes = [point.pictures for point in curve.points]
    assert sizes == pytest.approx([5, 10, 20, 50, 100, 120])
    assert curve.points[-1].accuracy > curve.points[0].accuracy + 0.1
    assert all(point.lowest <= point.accuracy <= point.highest for point in curve.points)
    assert curve.note == ""
    assert curve.forecast is not None
    low, high = curve.forecast.interval
    assert curve.forecast.pictures == 150
    assert 0 < low < curve.forecast.gain < high < 0.1


def test_the_forecast_is_about_what_the_pictures_then_bring() -> None:
    features, truth, groups = things(300)
    now = np.flatnonzero(np.arange(len(truth)) % 300 < 100)
    curve = learning_curve(features[now], truth[now], [groups[i] for i in now], seed=1)
    later = learning_curve(features, truth, groups, seed=1)
    assert curve.fit is not None
    found = next(p for p in later.points if p.pictures > 190)
    assert curve.fit.accuracy(found.pictures) == pytest.approx(found.accuracy, abs=0.05)


def test_what_is_told_apart_already_gains_nothing() -> None:
    curve = learning_curve(*things(60, spread=0.1), seed=1)
    assert curve.points[-1].accuracy == 1
    assert curve.forecast is not None
    assert curve.forecast.gain == pytest.approx(0, abs=1e-9)


def test_no_picture_is_scored_by_a_model_that_saw_its_group() -> None:
    # Each group has a place of its own and the classes none: knowing the group is all there is.
    features, truth, groups = things(80, per_group=10)
    rng = np.random.default_rng(2)
    labels = {name: rng.integers(3) for name in dict.fromkeys(groups)}
    truth = np.array([labels[name] for name in groups])
    honest = learning_curve(features, truth, groups, seed=1)
    fooled = learning_curve(features, truth, [str(n) for n in range(len(groups))], seed=1)
    assert honest.points[-1].accuracy < 0.6
    assert fooled.points[-1].accuracy > 0.95


def test_pictures_are_added_group_by_group() -> None:
    # Of five pictures per class all are of one object; a second object comes only later.
    grouped = learning_curve(*things(80, per_group=10), seed=1)
    single = learning_curve(*things(80), seed=1)
    assert grouped.points[0].pictures == single.points[0].pictures == pytest.approx(5)
    assert grouped.points[1].accuracy - grouped.points[0].accuracy < 0.08


def test_a_class_with_few_pictures_gives_all_it_has() -> None:
    features, truth, groups = things(100)
    keep = np.flatnonzero((truth != 2) | (np.arange(len(truth)) % 100 < 20))
    curve = learning_curve(features[keep], truth[keep], [groups[i] for i in keep], seed=1)
    assert curve.points[3].pictures == pytest.approx((50 + 50 + 16) / 3)


@pytest.mark.parametrize(
    ("truth", "groups", "why"),
    [
        ([0] * 40, [str(n) for n in range(40)], "two classes"),
        ([0] * 20 + [1] * 20, ["a"] * 20 + [str(n) for n in range(20)], "one group only"),
        ([0] * 20 + [1] * 20, [str(n) for n in range(40)], "too few pictures to fit"),
        ([0] * 24 + [1] * 24, [str(n) for n in range(48)], "too few pictures to fit"),
    ],
)
def test_where_it_cannot_know_it_says_why(truth: list[int], groups: list[str], why: str) -> None:
    features = np.random.default_rng(0).normal(size=(len(truth), 30)).astype(np.float32)
    curve = learning_curve(features, np.array(truth), groups, seed=1)
    assert curve.forecast is None
    assert why in curve.note


def test_far_beyond_the_pictures_there_are_nothing_is_forecast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainer.evaluation.learning_curve.SIZES", (2, 5, 10))
    curve = learning_curve(*things(20), seed=1)
    assert curve.fit is not None
    assert curve.forecast is None
    assert curve.note == f"{MORE} more per class is too far beyond 20 to be forecast"


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_features_that_tell_nothing_apart_give_no_curve(value: float) -> None:
    features = np.full((180, 8), value, np.float32)
    curve = learning_curve(features, np.repeat([0, 1, 2], 60), [str(n) for n in range(180)], seed=1)
    assert curve.points == ()
    assert "tell no pictures apart" in curve.note


def test_of_very_many_pictures_some_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.evaluation.learning_curve._MOST", 240)
    curve = learning_curve(*things(200), seed=1)
    assert curve.points[-1].pictures == pytest.approx(64)
    assert curve.forecast is not None
    assert curve.forecast.pictures == 200


def test_the_same_seed_gives_the_same_curve() -> None:
    first, again, other = (learning_curve(*things(60), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.points != other.points


@pytest.mark.parametrize(
    "law", [PowerLaw(0.05, 0.8, 0.5), PowerLaw(0.0, 0.6, 0.25), PowerLaw(0.2, 1.5, 1.1)]
)
def test_a_power_law_is_found_again(law: PowerLaw) -> None:
    sizes = np.array([5.0, 10, 20, 50, 100, 200])
    errors = np.array([[1 - law.accuracy(size) for size in sizes]])
    floor, scale, exponent = (float(value[0]) for value in _fit(sizes, errors))
    assert (floor, scale, exponent) == pytest.approx((law.floor, law.scale, law.exponent), abs=2e-3)


@pytest.mark.parametrize("errors", [[0.1, 0.2, 0.3, 0.4], [0.2, 0.2, 0.2, 0.2], [0, 0, 0, 0]])
def test_a_curve_that_does_not_fall_is_flat(errors: list[float]) -> None:
    sizes = np.array([5.0, 10, 20, 50])
    floor, scale, _ = (float(value[0]) for value in _fit(sizes, np.array([errors], float)))
    assert scale == pytest.approx(0, abs=1e-9)
    assert floor == pytest.approx(float(np.average(errors, weights=sizes)))


def test_it_is_written_as_json() -> None:
    found = learning_curve(*things(60), seed=1).to_json()
    assert found["note"] == ""
    assert set(found) == {"points", "fit", "forecast", "note"}
    assert LearningCurve((), None, None, "why").to_json()["forecast"] is None
