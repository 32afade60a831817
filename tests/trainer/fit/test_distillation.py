"""A network learns from what a teacher says of the very copies that it trains on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from edge.core.errors import ConfigError, UsageError
from edge.core.images.preprocess import InputSpec
from tests.trainer.session.test_training import DRAWN, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.errors import RunError
from trainer.fit import distillation, phases
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.distillation import Taught, teach
from trainer.fit.learner import learning_step
from trainer.fit.phases import Budget, StopTraining, run_phases
from trainer.fit.preconditions import check_request
from trainer.fit.predict import TrainingSet
from trainer.fit.prepare import Prepared, prepare
from trainer.networks import build_network
from trainer.recipes.plan import DistillPlan, NetworkPlan, PhasePlan, Recipe
from trainer.recipes.reading import read_recipe
from trainer.session import training_session
from trainer.session.request import TrainingRequest
from trainer.session.stage_times import Stages
from trainer.session.training_session import TrainingSession
from trainer.statistics.likelihood import softmax

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPEC = InputSpec(height=32, width=32)
HEAD = PhasePlan(name="head", train_from="pooled", epochs=25, learning_rate=0.05)


@pytest.fixture(scope="module", autouse=True)
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `photos` and `drawn.yaml`."""
    folder = tmp_path_factory.mktemp("taught")
    draw_photos(folder / "photos", count=20)
    (folder / "drawn.yaml").write_text(DRAWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, tiny_network():
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def prepared(drawn: Path) -> Prepared:
    return prepare(read_recipe(str(drawn / "drawn.yaml")), drawn / "photos")


def plan(drawn: Path, **changes: object) -> DistillPlan:
    given = {
        "teacher": str(drawn / "drawn.yaml"),
        "settings": ["input.height=48", "input.width=48", "phases.head.epochs=2"],
    }
    return DistillPlan.model_validate(given | changes)


def test_the_loss_is_the_weighted_one_of_both() -> None:
    network = build_network(NetworkPlan(name="convnet", weights="none", dropout=0), SPEC, 2, seed=0)
    recipe = Recipe(
        name="r", phases=[HEAD], label_smoothing=0,
        distill=DistillPlan(teacher="garbage", temperature=4, weight=0.25),
    )  # fmt: skip

    class Nothing:
        variables: tuple[object, ...] = tuple(network.upper("pooled").trainable_variables)

        def apply(self, gradients: object) -> None:
            """Leaves the weights as they are."""

    upper = network.upper("pooled")
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(5, 128)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[[0, 1, 1, 0, 1]]
    taught = softmax(rng.normal(size=(5, 2))).astype(np.float32)
    weights = np.ones(5, np.float32)
    loss, _ = learning_step(upper, recipe, Nothing())(inputs, targets, weights, taught)  # type: ignore[arg-type]
    logits = upper(inputs).numpy()
    hard = -(targets * np.log(softmax(logits))).sum(axis=1)
    soft = -(taught * np.log(softmax(logits / 4))).sum(axis=1) * 16
    assert float(loss) == pytest.approx((0.75 * hard + 0.25 * soft).mean(), rel=1e-4)


@pytest.mark.parametrize("weight", [None, 1.0])
def test_a_teacher_who_knows_better_than_the_labels_is_believed(weight: float | None) -> None:
    """The labels are drawn by chance, and the teacher is right of every copy."""
    distill = None if weight is None else DistillPlan(teacher="garbage", weight=weight)
    recipe = Recipe(name="r", phases=[HEAD], label_smoothing=0, distill=distill)
    network = build_network(NetworkPlan(name="convnet", weights="none", dropout=0), SPEC, 2, seed=0)
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2
    pooled = rng.normal(0, 1, (200, 3, 128)).astype(np.float16)
    pooled[..., 0] += 4 * truth[:, None]
    labels = np.where(np.arange(200) < 150, rng.permutation(truth), truth)
    taught = np.repeat(np.eye(2, dtype=np.float16)[truth][:, None], 3, axis=1)
    data = TrainingSet(
        np.zeros((200, 32, 32, 3), np.uint8), labels, {"pooled": pooled},
        np.arange(150), np.arange(150, 200), taught if weight else None,
    )  # fmt: skip
    best = run_phases(network, recipe, [HEAD], data, seed=0, budget=Budget(float("inf")))
    assert (best.accuracy > 0.8) == (weight is not None)


def test_a_teacher_is_trained_once_for_the_same_pictures(
    drawn: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = teach(prepared, plan(drawn))
    taught = found.probabilities
    assert re.fullmatch(r"teacher 1 of 1: [0-9.]+% of 6 validation pictures right", found.told[0])
    copies = 1 + prepared.recipe.augment.copies
    assert taught.shape == (60, copies, 3)
    train = prepared.of("train")
    np.testing.assert_allclose(taught[train].sum(axis=2), 1, atol=2e-3)
    assert not taught[prepared.of("validation", "test")].any()

    def never(*arguments: object) -> None:
        pytest.fail("the teacher was trained again")

    with monkeypatch.context() as patch:
        patch.setattr(distillation, "_of_recipe", never)
        again = teach(prepared, plan(drawn))
        np.testing.assert_array_equal(again.probabilities, taught)
        assert again.told == found.told
        softer = teach(prepared, plan(drawn, temperature=8)).probabilities
        assert softer[train].max() < taught[train].max()
        with pytest.raises(pytest.fail.Exception):
            teach(prepared, plan(drawn, folds=2))
        split = prepared.split.copy()
        split[:3] = "test"
        pictures = tuple(
            replace(picture, split=each)
            for picture, each in zip(prepared.pictures, split.tolist(), strict=True)
        )
        with pytest.raises(pytest.fail.Exception):
            teach(replace(prepared, pictures=pictures, split=split), plan(drawn))


def test_of_several_teachers_each_leaves_another_part_out(
    drawn: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def noted(network: object, recipe: object, phases: object, data: TrainingSet, **rest: object):  # type: ignore[no-untyped-def]
        used.append(set(data.train.tolist()))
        return run_phases(network, recipe, phases, data, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(distillation, "run_phases", noted)
    found = teach(prepared, plan(drawn, folds=2, max_minutes=0.0001))
    taught = found.probabilities
    assert all(line.endswith("though its training was cut short") for line in found.told)
    everything = set(prepared.of("train").tolist())
    assert used[0] | used[1] == everything
    assert not used[0] & used[1]
    np.testing.assert_allclose(taught[prepared.of("train")].sum(axis=2), 1, atol=2e-3)


def test_what_is_cross_fitted_comes_from_the_teacher_that_left_the_picture_out(
    drawn: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each teacher is made to say its number, as a class."""
    left_out = []

    def noted(network: object, recipe: object, phases: object, data: TrainingSet, **rest: object):  # type: ignore[no-untyped-def]
        left_out.append(set(prepared.of("train").tolist()) - set(data.train.tolist()))
        return run_phases(network, recipe, phases, data, **rest)  # type: ignore[arg-type]

    def numbered(own: Prepared, data: object, train: np.ndarray) -> np.ndarray:
        said = np.zeros((len(train), 1 + prepared.recipe.augment.copies, 3), np.float16)
        said[:, :, (len(left_out) - 1) % 3] = 50
        return said

    monkeypatch.setattr(distillation, "run_phases", noted)
    monkeypatch.setattr(distillation, "_said", numbered)
    given = {"folds": 3, "max_minutes": 0.0001}
    found = teach(prepared, plan(drawn, cross_fit=True, **given))
    assert len(left_out) == 3
    for number, pictures in enumerate(left_out):
        said = found.probabilities[sorted(pictures)]
        assert (said.argmax(axis=2) == number).all()
        assert (said.max(axis=2) > 0.99).all()
    train = prepared.of("train")
    right = (found.probabilities[train, 0].argmax(axis=1) == prepared.truth[train]).mean()
    assert found.told[-1] == (
        f"{right:.1%} of {len(train)} training pictures right, each by the teacher that left it out"
    )
    mean = teach(prepared, plan(drawn, **given))
    assert len(left_out) == 6
    assert mean.probabilities[train].max() < 0.5, "the mean of three, from a cache of its own"


def test_a_class_in_one_group_is_learned_by_its_label(
    drawn: Path, prepared: Prepared, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever left that group out has met none of the class. Nor do teachers that are kept serve
    pictures that go together in another way."""
    train = prepared.of("train")
    one = set(train[prepared.truth[train] == 0].tolist())
    pictures = tuple(
        replace(picture, group="series" if place in one else f"alone-{place}")
        for place, picture in enumerate(prepared.pictures)
    )
    given = plan(drawn, cross_fit=True, folds=2, max_minutes=0.0001)
    teach(prepared, given)
    assert "one group" not in caplog.text
    found = teach(replace(prepared, pictures=pictures), given)
    label = prepared.labels[0]
    assert f"{label!r}: {len(one)} training pictures lie in one group" in caplog.text
    assert (found.probabilities[sorted(one), :, 0] == 1).all()
    assert f"of {len(train) - len(one)} training pictures right" in found.told[-1]


def test_the_copies_that_a_teacher_sees_are_those_of_the_student(
    drawn: Path, prepared: Prepared
) -> None:
    """At the student's own size they are the same to the pixel."""
    tensors = prepared.decoded.tensors
    found = distillation._copies(prepared.decoded, np.arange(3), 1, prepared.recipe.augment)
    for i in range(3):
        chance = np.random.default_rng((int(prepared.decoded.digests[i][:32], 16), 1))
        copy = distillation.augmented(tensors[i], prepared.recipe.augment, chance)
        np.testing.assert_array_equal(found[i], copy)
    plain = distillation._copies(prepared.decoded, np.arange(3), 0, prepared.recipe.augment)
    np.testing.assert_array_equal(plain, tensors[np.arange(3)])


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        (["distill.teacher=garbag"], UsageError, "no recipe 'garbag'"),
        (["distill.teacher=runs/teachr"], UsageError, "no folder or recipe runs/teachr"),
        (["distill={teacher: garbage, variant: huge}"], UsageError, "has no variant 'huge'"),
        (["distill={teacher: garbage, temperature: 0.5}"], ConfigError, "temperature"),
        (
            ["distill={teacher: garbage}", "phases.head.train_from=input"],
            ConfigError,
            "augment them anew have none: head",
        ),
        (["distill={teacher: garbage}", "phases.head.fresh=true"], ConfigError, "without fresh"),
        (["distill={teacher: garbage, cross_fit: true}"], ConfigError, "set folds to 2 or more"),
    ],
)
def test_a_teacher_that_cannot_teach_is_told_before_anything_is_trained(
    drawn: Path, settings: list[str], error: type[Exception], said: str
) -> None:
    recipe, data = str(drawn / "drawn.yaml"), drawn / "photos"
    with pytest.raises(error) as caught:
        check_request(recipe, data, settings=settings)
    assert said in str(caught.value)


def test_a_teacher_with_a_teacher_and_a_folder_that_is_no_run_are_refused(
    drawn: Path, prepared: Prepared
) -> None:
    text = f"{DRAWN}distill: {{teacher: garbage}}\n"
    (drawn / "pupil.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="learns from a teacher itself"):
        teach(prepared, plan(drawn, teacher=str(drawn / "pupil.yaml"), settings=[]))
    with pytest.raises(RunError, match="not a finished run"):
        teach(prepared, plan(drawn, teacher=str(drawn / "photos")))


def test_a_teacher_whose_phases_are_fresh_scores_the_copies_without_saved_ones(
    drawn: Path, prepared: Prepared
) -> None:
    fresh = ["phases.head.epochs=1", "phases.head.fresh=true", "phases.upper.fresh=true"]
    found = teach(prepared, plan(drawn, settings=fresh, max_minutes=0.0001)).probabilities
    np.testing.assert_allclose(found[prepared.of("train")].sum(axis=2), 1, atol=2e-3)


def test_a_teacher_that_the_user_stops_is_not_kept(drawn: Path, prepared: Prepared) -> None:
    """Though it had learned for an epoch, as a training that is stopped ends with its best."""
    stopped = plan(drawn, settings=["phases.head.epochs=3"])
    judge, epochs = phases._PhaseRun._judge, []

    def judged(*given: Any, **rest: Any) -> bool:
        epochs.append(given)
        return judge(*given, **rest)

    def stop() -> None:
        if epochs:
            raise StopTraining

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phases._PhaseRun, "_judge", judged)
        with pytest.raises(StopTraining):
            teach(prepared, stopped, check_stop=stop)
    assert epochs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distillation, "_of_recipe", lambda *given: pytest.fail("not in the cache"))
        with pytest.raises(pytest.fail.Exception, match="not in the cache"):
            teach(prepared, stopped)


def test_only_pictures_that_choose_an_epoch_choose_the_teacher_s(
    drawn: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def noted(network: object, recipe: object, phases: object, data: TrainingSet, **rest: object):  # type: ignore[no-untyped-def]
        used.append(data.validation.tolist())
        return run_phases(network, recipe, phases, data, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(distillation, "run_phases", noted)
    some = prepared.of("validation")[:3]
    told = teach(prepared, plan(drawn, max_minutes=0.0002), choosing=some).told
    assert used == [some.tolist()]
    assert "of 3 validation pictures right" in told[0]
    teach(prepared, plan(drawn, max_minutes=0.0002))  # what the others chose is another teacher
    assert len(used) == 2


def test_a_teacher_of_other_weights_or_of_another_tensorflow_is_another_one(
    drawn: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    (drawn / "weights.h5").write_bytes(b"one")
    own = plan(drawn, settings=[f"network.weights={drawn / 'weights.h5'}"])
    validation = prepared.of("validation")
    keys = [distillation._key(prepared, own, validation)]
    (drawn / "weights.h5").write_bytes(b"another")
    keys.append(distillation._key(prepared, own, validation))
    assert distillation._key(prepared, own, validation) == keys[-1]
    monkeypatch.setattr(tf, "__version__", "2.0")
    keys.append(distillation._key(prepared, own, validation))
    monkeypatch.setattr(distillation, "code_digest", lambda package: package.__name__)
    keys.append(distillation._key(prepared, own, validation))
    assert len(set(keys)) == 4


def test_the_minutes_of_a_teacher_are_given_where_they_count(drawn: Path) -> None:
    with pytest.raises(UsageError, match="max_minutes is of no use there"):
        distillation.teacher_recipe(plan(drawn, settings=["max_minutes=20"]))


def test_a_teacher_s_minutes_are_not_taken_from_a_training_that_is_resumed(
    prepared: Prepared, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten minutes the student had used one, and its teacher fifteen of its own."""
    taught = prepared.recipe.model_copy(update={"distill": plan(drawn)})
    pupil = replace(prepared, recipe=taught)

    def slow(*given: object, **rest: object) -> Taught:
        time.sleep(0.2)  # seconds are noted to a tenth
        return Taught(np.zeros(0, np.float16), ())

    monkeypatch.setattr(training_session, "teach", slow)
    request = TrainingRequest(
        recipe=taught, name="drawn", data=drawn / "photos", out=tmp_path / "run", variant="default",
        settings=(), add=(), groups=None, keep_parts=None, from_run=None, seed=0, max_minutes=10,
    )  # fmt: skip
    first = Checkpoint.begin(tmp_path / "state", {}, resume=False)
    first.spent, first.free = 16 * 60.0, 15 * 60.0
    first.save("phases", {}, {})
    again = Checkpoint.begin(tmp_path / "state", {}, resume=True)
    began = time.monotonic()
    session = TrainingSession.begin(request, pupil, again, Stages(), lambda: None).with_teacher()
    assert began <= session.budget.deadline - 9 * 60 <= time.monotonic()
    again.save("phases", {}, {})
    assert Checkpoint.begin(tmp_path / "state", {}, resume=True).free > 15 * 60
