"""The gate fails a model only for differences that chance does not explain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converter.parity.differences import MetricChange, PairedDrop
from converter.parity.gate import Parity, UnknownParity, compare, judge
from converter.parity.predictions import Predictions
from converter.parity.thresholds import Thresholds
from edge.core.dataset import LabelledPicture
from edge.core.images.preprocess import InputSpec
from edge.core.model.grade import TOO_FEW
from edge.core.model.metrics import Evaluation, Share, evaluate_scores
from trainer.run import DataFacts, RunFacts, UnknownFacts

NOTHING = evaluate_scores(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), ("a", "b"),
                          {"a": 0.5, "b": 0.5})  # fmt: skip


def parity(
    agree: tuple[int, int] = (1000, 1000),
    drop: tuple[int, int, int] = (0, 0, 300),
    change: float = 0.01,
    evaluation: Evaluation = NOTHING,
    unknown: tuple[int, int, float] | None = None,
) -> Parity:
    return Parity(
        agreement=Share(*agree),
        confidence_change=MetricChange(mean=change, p95=change, largest=change),
        drop=PairedDrop(*drop),
        float32=evaluation,
        int8=evaluation,
        thresholds=Thresholds({"a": 0.5, "b": 0.5}, None),
        calibration_error=(0.0, 0.0),
        divergence=0.0,
        unknown=(
            None
            if unknown is None
            else UnknownParity(
                Share(*unknown[:2]), MetricChange(unknown[2], unknown[2], unknown[2])
            )
        ),
    )


@pytest.mark.parametrize(
    ("figures", "failures", "warnings"),
    [
        # all well
        (parity(), 0, 0),
        (parity(agree=(980, 1000)), 0, 0),
        # int8 better than float is no failure
        (parity(drop=(0, 30, 300)), 0, 0),
        # agreement below the bar: within chance (upper end 98.5 %), then not (97.0 %)
        (parity(agree=(977, 1000)), 0, 1),
        (parity(agree=(958, 1000)), 1, 0),
        # the same share of few pictures proves nothing
        (parity(agree=(19, 20)), 0, 1),
        # accuracy: 1.7 points of 300 is within chance, 5 points is not
        (parity(drop=(5, 0, 300)), 0, 1),
        (parity(drop=(15, 0, 300)), 1, 0),
        # the same loss with as many changes each way proves nothing
        (parity(drop=(60, 45, 300)), 0, 1),
        # no point lost, though many changed
        (parity(drop=(9, 9, 300)), 0, 0),
        # labels stay and confidence collapses
        (parity(change=0.5), 1, 0),
        # unknown: agreement within chance of 95 %, then not, then without a threshold
        (parity(unknown=(940, 1000, 0.02)), 0, 1),
        (parity(unknown=(900, 1000, 0.02)), 1, 0),
        (parity(unknown=(0, 0, 0.02)), 0, 0),
        # full agreement about unknown, but a novelty score that changes much
        (parity(unknown=(1000, 1000, 0.3)), 1, 0),
        # everything at once
        (parity(agree=(500, 1000), drop=(150, 0, 300), change=0.5), 3, 0),
    ],
)
def test_the_gate_fails_what_chance_cannot_explain(
    figures: Parity, failures: int, warnings: int
) -> None:
    verdict = judge(figures)
    assert (len(verdict.failures), len(verdict.warnings)) == (failures, warnings)


def test_a_failure_gives_its_figures() -> None:
    agreement, accuracy = judge(parity(agree=(900, 1000), drop=(20, 1, 300))).failures
    assert agreement.startswith("float and int8 agree on 90.0% (88.0% to 91.7%, 900 of 1000)")
    assert accuracy.startswith("int8 loses 6.3 points of accuracy (3.")
    assert "20 are right only in float, 1 only in int8" in accuracy


def facts_of(unknown: UnknownFacts | None = None) -> RunFacts:
    return RunFacts(
        recipe="r", variant="v", seed=0, labels=("a", "b"), input=InputSpec(), temperature=1,
        accept={"a": 0.5, "b": 0.5}, unknown=unknown,
        data=DataFacts(path="", root="", digest="", pictures={}, skipped=0),
        finished="", minutes=0, stopped_early=False, parameters=1, tools={},
    )  # fmt: skip


def test_things_held_to_be_of_no_class_are_compared_over_every_picture() -> None:
    # part, float's and int8's novelty score
    table = [
        ("train", 0.4, 0.6),
        ("test", 0.1, 0.2),
        ("test", 0.9, 0.7),
        ("test", 0.5, 0.6),  # not above the threshold, and above it
    ]
    pictures = [
        LabelledPicture(Path(str(n)), "a", None, part) for n, (part, *_) in enumerate(table)
    ]
    scores = np.tile(np.array([[0.9, 0.1]], np.float32), (4, 1))
    float32, int8 = (
        Predictions(scores, np.array(column)) for column in list(zip(*table, strict=True))[1:]
    )
    threshold = UnknownFacts(score="energy", threshold=0.5, keep=0.95, kept={})
    found = compare(float32, int8, pictures, facts_of(threshold))
    assert found.unknown is not None
    assert found.unknown.agreement == Share(2, 4)
    assert found.unknown.change.mean == pytest.approx(0.15)
    assert found.unknown.change.largest == pytest.approx(0.2)
    assert (found.float32.unknown, found.int8.unknown) == (Share(1, 3), Share(2, 3))
    assert found.int8.accepted == Share(1, 3)
    figures = found.to_json()["unknown"]
    assert isinstance(figures, dict)
    assert figures["agreement"] == 0.5
    none = compare(
        float32, int8, pictures, facts_of(threshold.model_copy(update={"threshold": None}))
    )
    assert none.unknown is not None
    assert (none.unknown.agreement, none.int8.unknown) == (Share(0, 0), Share(0, 0))


def test_accuracy_counts_the_test_part_and_agreement_every_picture() -> None:
    facts = facts_of()
    # part, label, float's score of a, int8's score of a
    table = [
        ("train", "a", 0.9, 0.4),  # disagree, but not of the test split
        ("validation", "b", 0.2, 0.2),
        ("test", "a", 0.8, 0.7),  # both right
        ("test", "a", 0.6, 0.3),  # float only
        ("test", "a", 0.7, 0.1),  # float only
        ("test", "b", 0.9, 0.3),  # int8 only
        ("test", "b", 0.9, 0.9),  # both wrong
    ]
    pictures = [
        LabelledPicture(Path(str(n)), label, None, part)
        for n, (part, label, _, _) in enumerate(table)
    ]
    float32 = np.array([(f, 1 - f) for _, _, f, _ in table], np.float32)
    int8 = np.array([(q, 1 - q) for _, _, _, q in table], np.float32)
    found = compare(Predictions(float32), Predictions(int8), pictures, facts)
    assert found.agreement == Share(3, 7)
    assert found.drop == PairedDrop(first_only=2, second_only=1, total=5)
    assert found.drop.value == pytest.approx(0.2)
    assert found.float32.accuracy == Share(3, 5)
    assert found.int8.accuracy == Share(2, 5)
    # of the label that float puts first: 0.5, 0, 0.1, 0.3, 0.6, 0.6, 0
    assert found.confidence_change.mean == pytest.approx(2.1 / 7, abs=1e-6)
    assert found.confidence_change.largest == pytest.approx(0.6, abs=1e-6)
    assert found.to_json()["accuracy_drop"] == {
        "images": 5,
        "value": pytest.approx(0.2),
        "interval": found.drop.interval,
        "float_only_right": 2,
        "int8_only_right": 1,
    }


def test_intervals_of_the_test_split_know_of_groups() -> None:
    """Ten series of ten pictures, of which two are wrong as a whole."""
    right = np.arange(100) >= 20
    answers = Predictions(np.where(right[:, None], [[0.9, 0.1]], [[0.1, 0.9]]).astype(np.float32))
    series, alone = (
        compare(
            answers,
            answers,
            [LabelledPicture(Path(str(n)), "a", group(n), "test") for n in range(100)],
            facts_of(),
        ).int8
        for group in (lambda n: str(n // 10), lambda n: None)
    )
    assert alone.accuracy == Share(80, 100)
    for name in ("accuracy", "purity", "accepted"):
        grouped, single = getattr(series, name).interval, getattr(alone, name).interval
        assert grouped[1] - grouped[0] > 2 * (single[1] - single[0])
    assert series.classes["a"].recall.interval == series.accuracy.interval
    assert series.to_json()["accuracy_interval"] == series.accuracy.interval


def test_the_gate_and_the_words_of_int8_know_of_groups() -> None:
    """Of 25 series of twelve pictures int8 answers one otherwise, to the last, and wrongly."""
    lost = np.arange(300) < 12
    right = np.full(300, True)
    float32, int8 = (
        Predictions(
            np.where(each[:, None], [[0.9, 0.1]], [[0.45, 0.55]]).astype(np.float32),
            np.where(each, 0.1, 0.9),
        )
        for each in (right, ~lost)
    )
    novelty = UnknownFacts(score="energy", threshold=0.5, keep=0.95, kept={})
    series, alone = (
        compare(
            float32,
            int8,
            [LabelledPicture(Path(str(n)), "a", group(n), "test") for n in range(300)],
            facts_of(novelty),
        )
        for group in (lambda n: str(n // 12), lambda n: None)
    )
    assert series.unknown is not None
    assert series.agreement.interval is not None
    assert len(judge(alone).failures) == 2, "of labels and of accuracy"
    assert judge(series).failures == (), "one series of 25, which chance explains"
    assert len(judge(series).warnings) == len(judge(alone).failures + judge(alone).warnings)
    assert series.agreement.interval[0] < 0.92 < 0.98 < series.agreement.interval[1]
    assert series.unknown.agreement.interval == series.agreement.interval
    low, high = series.drop.interval
    assert low < 0.01 < alone.drop.interval[0] < alone.drop.interval[1] < high
    assert (alone.drop.verdict.word, series.drop.verdict.word) == ("bad", TOO_FEW)
    assert (series.drop.verdict.needed or 0) > 300
