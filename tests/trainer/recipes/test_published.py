"""The systems that the recipes replace, as their authors described them, can be trained too."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.errors import EXIT_OK
from tests.plain_words import unexplained
from trainer.cli import main
from trainer.fit.phases import Budget, run_phases
from trainer.fit.predict import TrainingSet
from trainer.fit.saved_outputs import compiled
from trainer.networks import INPUT, build_network
from trainer.recipes.reading import read_recipe, shipped_recipes

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SYSTEMS = ("bottles", "fashion", "fruit", "garbage", "shoes")
PUBLISHED = [
    (name, variant)
    for name in SYSTEMS
    for variant in read_recipe(name).variants
    if variant.startswith("published")
]
_SIDE = 64
"""Pixels: two rows of features are left of them, which a pooling needs."""


def test_every_system_has_one() -> None:
    assert {name for name, _ in PUBLISHED} == set(SYSTEMS)
    assert set(SYSTEMS) | {"convnet", "mobilenet_v2"} >= set(shipped_recipes())


@pytest.mark.parametrize(("name", "variant"), PUBLISHED)
def test_it_is_told_what_is_to_be_known_of_it_and_has_none_of_ours(name: str, variant: str) -> None:
    ours, theirs = read_recipe(name), read_recipe(name, variant=variant)
    assert not ours.notes
    assert any("mistake" in note or "As published" in note for note in theirs.notes)
    assert all(note.endswith(".") for note in theirs.notes)
    assert unexplained(" ".join(theirs.notes)) == []
    assert (theirs.split, theirs.label_smoothing, theirs.class_weights) == (ours.split, 0, "none")
    assert not any(phase.mixup or phase.ema or phase.average_from < 1 for phase in theirs.phases)
    assert not any(phase.weight_decay or phase.warmup or phase.clip for phase in theirs.phases)


def test_the_last_epoch_is_kept_where_nothing_is_described_that_chooses_another() -> None:
    last = {
        (name, variant)
        for name, variant in PUBLISHED
        if {phase.keep for phase in read_recipe(name, variant=variant).phases} == {"last"}
    }
    fashion = {("fashion", f"published{each}") for each in ("", "_ann", "_cnn")}
    assert last == fashion | {each for each in PUBLISHED if each[0] == "shoes"}
    for name, variant in PUBLISHED:
        notes = " ".join(read_recipe(name, variant=variant).notes)
        assert "last epoch" in notes or "last of ten epochs" in notes or "is kept" in notes


def test_no_published_system_is_cut_short_where_ours_is_not() -> None:
    for name, variant in PUBLISHED:
        assert read_recipe(name, variant=variant).max_minutes >= read_recipe(name).max_minutes
    assert read_recipe("fashion", variant="published_advanced_cnn").max_minutes >= 60


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        pytest.param(*each, marks=[] if each[0] == "fashion" else pytest.mark.slow)
        for each in PUBLISHED
    ],
)
def test_it_learns_from_a_batch_in_each_of_its_phases(name: str, variant: str) -> None:
    small = [] if name == "fashion" else [f"input.height={_SIDE}", f"input.width={_SIDE}"]
    recipe = read_recipe(name, variant=variant, settings=["network.weights=none", *small])
    network = build_network(recipe.network, recipe.input, 3, seed=0)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, *recipe.input.shape), np.uint8)
    cuts = sorted({phase.train_from for phase in recipe.phases} - {INPUT})
    saved = compiled(network.lower(cuts))(images) if cuts else []
    everything = np.arange(6)
    data = TrainingSet(
        images,
        everything % 3,
        {cut: np.asarray(values)[:, None] for cut, values in zip(cuts, saved, strict=True)},
        everything,
        everything,
    )
    before = network.state()
    phases = [phase.model_copy(update={"epochs": 1}) for phase in recipe.phases]
    best = run_phases(network, recipe, phases, data, seed=0, budget=Budget(float("inf")))
    assert [line.phase for line in best.history] == [phase.name for phase in phases]
    assert any(not np.array_equal(a, b) for a, b in zip(before, network.state(), strict=True))


def test_the_list_of_recipes_names_their_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "list"]) == EXIT_OK
    told = capsys.readouterr().out
    assert "published: Its mistake: levels are scaled to 0 to 1" in told
    assert "published: Its mistake: training stops at 98 % of the training pictures" in told
