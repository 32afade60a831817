"""What a person can write in a recipe, and what it is told when that is wrong."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import EXIT_IO, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE, ConfigError, UsageError
from edge.core.images.preprocess import InputSpec
from trainer import networks
from trainer.cli import main
from trainer.networks import Network
from trainer.recipes.plan import NetworkPlan
from trainer.recipes.reading import (
    is_recipe,
    read_recipe,
    recipe_path,
    recipe_yaml,
    shipped_recipes,
)


@pytest.fixture(scope="module", autouse=True)
def built_once() -> Iterator[None]:
    """Recipes that ask for the same network, which is only looked at, share it."""
    build, built = networks.build_network, dict[str, Network]()

    def once(plan: NetworkPlan, spec: InputSpec, classes: int, *, seed: int) -> Network:
        asked = f"{plan!r} {spec!r} {classes} {seed}"
        if asked not in built:
            built[asked] = build(plan, spec, classes, seed=seed)
        return built[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "build_network", once)
        yield


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_and_variant_loads(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    for variant in recipe.variants:
        assert read_recipe(name, variant=variant) != recipe
    again = tmp_path / "resolved.yaml"
    again.write_text(recipe_yaml(recipe), encoding="utf-8")
    assert read_recipe(str(again)) == recipe.model_copy(update={"variants": {}, "measured": []})


@pytest.mark.parametrize("name", shipped_recipes())
def test_the_header_says_the_command_what_to_expect_and_how_long_it_takes(name: str) -> None:
    text = recipe_path(name).read_text(encoding="utf-8")
    header = text.partition("\nname:")[0]
    assert f"pilah-trainer train {name} --data" in header
    assert re.search(r"\d\d(\.\d)? %", header)
    assert re.search(r"\d+ minutes", header)


@pytest.mark.parametrize("name", shipped_recipes())
def test_the_network_of_every_shipped_recipe_and_variant_can_be_cut_as_it_says(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipes", "check", name]) == EXIT_OK
    assert f"{name}, default:" in capsys.readouterr().err


def test_a_recipe_is_shown_and_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "list"]) == EXIT_OK
    assert "shoes" in capsys.readouterr().out
    assert main(["recipes", "copy", "shoes", str(tmp_path / "mine.yaml")]) == EXIT_OK
    assert main(["recipes", "show", str(tmp_path / "mine.yaml")]) == EXIT_OK
    assert capsys.readouterr().out == recipe_path("shoes").read_text(encoding="utf-8")
    assert main(["recipes", "copy", "shoes", str(tmp_path / "mine.yaml")]) == EXIT_IO


def test_a_setting_changes_one_key() -> None:
    settings = ["network.alpha=0.35", "phases.upper.epochs=4", "network.weights=mine.h5"]
    recipe = read_recipe("mobilenet_v2", settings=settings)
    assert recipe.network.alpha == 0.35
    assert recipe.network.weights == "mine.h5"
    assert {phase.name: phase.epochs for phase in recipe.phases}["upper"] == 4


def test_a_number_may_be_written_as_engineers_do() -> None:
    recipe = read_recipe("mobilenet_v2", settings=["phases.head.learning_rate=2e-4"])
    assert recipe.phases[0].learning_rate == 0.0002


@pytest.mark.parametrize(
    ("setting", "error", "words"),
    [
        ("network.alpha", UsageError, "key=value"),
        ("phases.uper.epochs=4", UsageError, "no phase 'uper'"),
        ("phases=4", ConfigError, "phases"),
        ("network.alfa=0.35", ConfigError, "network.alfa: unknown key. Did you mean alpha"),
        ("network.alpha=0,35", ConfigError, "Received: '0,35': write 0.35, with a decimal point"),
        ("network.alpha=017", ConfigError, "Received: '017': write 17, without the zero"),
        ("network.alpha=!!int '0b'", UsageError, "the tag !!int is not used here"),
        ("batch_size=1_000", ConfigError, "Received: '1_000': write 1000"),
        ("batch_size=1:30", ConfigError, "Received: '1:30': write it as one decimal number"),
        ("network.alpha=.nan", ConfigError, "must be a finite number"),
        ("a.b.c.d.e.f=1", UsageError, "no key of a recipe lies so deep"),
        ("network.alpha=wide", ConfigError, "network.alpha.*Received: 'wide'"),
        ("split.test=0.9", ConfigError, "split.test"),
        ("input.height.x=1", UsageError, "height has no keys below it"),
        ("network.alpha=[", UsageError, "not YAML"),
        ("network.weights=none", ConfigError, "average_from goes with pretrained weights"),
        ("phases.head.if_time=true", ConfigError, "first phase, head, must not be if_time"),
        ("variants=[small]", ConfigError, "variants"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        read_recipe("mobilenet_v2", settings=[setting])
    assert str(caught.value).startswith("--set")
    assert ".yaml" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mobilenet_v3", "Did you mean mobilenet_v2"),
        (
            "nothing_like_it",
            "shipped are bottles, convnet, .*; or give the path of your own .yaml file$",
        ),
        ("missing.yaml", "no such recipe file"),
    ],
)
def test_an_unknown_recipe_says_which_there_are(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_recipe(name)


def test_an_unknown_variant_says_which_there_are() -> None:
    with pytest.raises(UsageError, match="It has: default, small, lite0, lite2, scratch"):
        read_recipe("mobilenet_v2", variant="tiny")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: mine\n  phases: []", ":2: not YAML"),
        ("- a list", "1: expected `key: value` lines"),
        (
            "name: mine\nbatchsize: 4",
            "mine.yaml:2: batchsize: unknown key. Did you mean batch_size",
        ),
        ("name: mine\nphases: []", "phases"),
        (
            "name: Mine!\nphases: [{name: a, train_from: pooled, epochs: 1, learning_rate: 1}]",
            "name",
        ),
    ],
)
def test_a_file_that_is_no_recipe_says_where(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        read_recipe(str(file))


MINE = """\
name: mine
network: {name: NAME, weights: WEIGHTS, alpha: ALPHA}
input: {height: 96, width: 96}
phases:
  - {name: head, train_from: CUT, epochs: 1, learning_rate: 0.001}
variants:
  wide:
    batch_size: 4
    network.alpha: WIDE
"""
USUAL = {"NAME": "mobilenet_v2", "WEIGHTS": "imagenet", "ALPHA": "0.35", "CUT": "pooled"}


def write_mine(folder: Path, **changes: str) -> str:
    text = MINE
    for word, value in {**USUAL, "WIDE": "1.0", **changes}.items():
        text = text.replace(word, value)
    file = folder / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_mistake_in_a_variant_is_told_on_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine.yaml:9: variants.wide.network.alpha: must be"):
        read_recipe(write_mine(tmp_path, WIDE="broad"), variant="wide")


def test_what_is_wrong_with_the_file_is_not_blamed_on_a_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine.yaml:2: network.alpha: must be less"):
        read_recipe(write_mine(tmp_path, ALPHA="9"), settings=["batch_size=4"])


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({}, EXIT_OK, "mine, wide: "),
        ({"CUT": "block_99"}, EXIT_USAGE, "the network has no layer 'block_99'"),
        ({"CUT": "block_2_expand"}, EXIT_USAGE, "the network cannot be cut at 'block_2_expand'"),
        ({"ALPHA": "0.6"}, EXIT_USAGE, "ImageNet weights exist for"),
        ({"WIDE": "0.6"}, EXIT_USAGE, "variant wide: network.alpha: ImageNet weights exist for"),
        ({"NAME": "advanced_cnn", "CUT": "input"}, EXIT_USAGE, "has no ImageNet weights"),
        ({"NAME": "mobilenet_v9"}, EXIT_USAGE, "Did you mean mobilenet_v2?"),
        ({"WEIGHTS": "mine.h5"}, EXIT_UNAVAILABLE, "mine.h5: no such file"),
    ],
)
def test_a_check_refuses_what_a_training_would(
    changes: dict[str, str],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))  # nothing is there
    assert main(["recipes", "check", write_mine(tmp_path, **changes)]) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "keras" / "models").exists(), "nothing is fetched"


def test_a_recipe_is_one_though_a_folder_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "garbage").mkdir()
    monkeypatch.chdir(tmp_path)
    assert is_recipe("garbage")
    assert is_recipe("mine.yaml")
    assert not is_recipe("runs/first")
