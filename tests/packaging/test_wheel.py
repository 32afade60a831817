"""The wheel holds everything, and its commands work away from the checkout."""

from __future__ import annotations

import importlib
import json
import shutil
import sysconfig
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from edge import __version__
from edge.core.errors import EXIT_CONFIG, EXIT_UNAVAILABLE
from tests.packaging.installed import PACKAGES, ROOT, Installed, install

VERBS = [
    (package, verb)
    for package in PACKAGES
    for verb in importlib.import_module(f"{package}.cli").VERBS
]
WORDS: Mapping[tuple[str, str], list[str]] = {
    ("edge", "classify"): ["bundle", "a.png"],
    ("edge", "codes"): ["a.png"],
    ("edge", "scanner"): ["show", "station.yaml"],
    ("edge", "delivery"): ["status", "station.yaml"],
    ("edge", "ledger"): ["check", "ledger.sqlite"],
    ("edge", "evaluate"): ["bundle", "pictures"],
    ("edge", "inspect"): ["bundle"],
    ("edge", "bench"): ["bundle"],
    ("edge", "init"): ["bundle", "station.yaml", "--photos", "pictures"],
    ("edge", "roi"): ["station.yaml"],
    ("edge", "trigger"): ["station.yaml"],
    ("edge", "capture"): ["station.yaml", "--label", "can"],
    ("edge", "check"): ["station.yaml"],
    ("edge", "schema"): [],
    ("edge", "lane"): ["test", "station.yaml", "warm"],
    ("edge", "install"): ["bundle", "station.yaml"],
    ("edge", "rollback"): ["station.yaml"],
    ("edge", "reload-bundle"): ["station.yaml"],
    ("edge", "doctor"): ["station.yaml"],
    ("edge", "samples"): ["export", "station.yaml", "samples"],
    ("edge", "simulate"): ["station.yaml"],
    ("edge", "status"): ["station.yaml"],
    ("edge", "pause"): ["station.yaml"],
    ("edge", "resume"): ["station.yaml"],
    ("edge", "reset"): ["station.yaml"],
    ("edge", "clear"): ["station.yaml"],
    ("edge", "stop"): ["station.yaml"],
    ("edge", "mode"): ["station.yaml", "maintenance"],
    ("edge", "web"): ["station.yaml", "--accounts"],
    ("edge", "run"): ["station.yaml"],
    ("trainer", "cross-validate"): ["mobilenet_v2", "--data", "photos"],
    ("trainer", "find-rate"): ["mobilenet_v2", "--data", "photos"],
    ("trainer", "compare"): ["garbage", "--data", "photos", "--variants", "a,b", "--out", "ways"],
    ("trainer", "evaluate"): ["run", "--data", "photos"],
    ("trainer", "sweep"): [
        "mobilenet_v2",
        "--data",
        "photos",
        "--storage",
        "s.journal",
        "--out",
        "best",
    ],
    ("trainer", "explain"): ["run", "picture.jpg"],
    ("trainer", "recipes"): ["list"],
    ("trainer", "data"): ["check", "photos"],
    ("trainer", "train"): ["mobilenet_v2", "--data", "pictures", "--out", "run"],
    ("converter", "convert"): ["run", "--out", "bundle"],
    ("converter", "import"): [
        "model.tflite",
        "--labels",
        "labels.txt",
        "--data",
        "pictures",
        "--out",
        "bundle",
    ],
    ("converter", "inspect"): ["bundle"],
    ("converter", "check-parity"): ["bundle", "--data", "pictures"],
    ("converter", "compare"): ["bundle", "bundle", "--data", "pictures"],
    ("converter", "keygen"): ["key"],
    ("converter", "sign"): ["bundle", "--key", "key"],
    ("converter", "verify-signature"): ["bundle", "--public-key", "key.pub"],
}
"""Words that each verb takes, so that it comes to do its work."""

WITHOUT_TENSORFLOW = [
    ("converter", verb)
    for verb in (
        "keygen", "sign", "verify-signature", "inspect", "check-parity", "compare", "import",
    )
]  # fmt: skip
"""Verbs for a desktop that need no more than a station has."""

SIMULATION = Path("edge/simulation")
"""What stands in for a machine: in a clone alone."""

TRAINING = ("tensorflow", "keras", "sklearn")
"""What the extra `edge` does not bring."""


@pytest.fixture(scope="session")
def everything(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel with all dependencies: those of the environment that runs the tests."""
    site = sysconfig.get_path("purelib") + "\n"
    return install(wheel, tmp_path_factory.mktemp("everything") / "venv", site=site)


@pytest.fixture(scope="session")
def nothing(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """What `pip install pilah` gives, with no extra."""
    return install(wheel, tmp_path_factory.mktemp("nothing") / "venv")


@pytest.fixture(scope="session")
def only_edge(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """What the extra `edge` gives: as if what belongs to training were not installed."""
    hidden = f"import sys; sys.modules.update(dict.fromkeys({TRAINING!r}))"
    site = f"{sysconfig.get_path('purelib')}\n{hidden}\n"
    return install(wheel, tmp_path_factory.mktemp("only_edge") / "venv", site=site)


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_every_file_of_the_packages_but_the_simulation_and_no_other(
    sources: Path, wheel: Path
) -> None:
    files = {
        str(file.relative_to(sources))
        for package in PACKAGES
        for file in (sources / package).rglob("*")
        if file.is_file() and SIMULATION not in file.relative_to(sources).parents
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == files
    assert {file for file in files if file.endswith(".yaml")}, "recipes are among them"


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    said = metadata(wheel)
    assert said["Version"] == __version__
    assert said["License-Expression"] == "Apache-2.0"
    assert {"edge", "trainer", "converter", "pi", "legacy", "gpu", "dev"} <= set(
        said.get_all("Provides-Extra", [])
    )
    assert [r for r in said.get_all("Requires-Dist", []) if "extra ==" not in r] == []


def test_nothing_is_imported_from_the_checkout(everything: Installed) -> None:
    code = f"import {', '.join(PACKAGES)}; print({', '.join(f'{p}.__file__' for p in PACKAGES)})"
    done = everything.run("python", "-c", code)
    assert done.stdout.count(str(everything.folder)) == len(PACKAGES), done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_a_command_tells_its_verbs_and_version(everything: Installed, package: str) -> None:
    verbs = [verb for owner, verb in VERBS if owner == package]
    for command in ([f"pilah-{package}"], ["python", "-m", package]):
        done = everything.run(*command, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert [verb for verb in verbs if f"\n  {verb} " not in done.stdout] == []
        done = everything.run(*command, "--version")
        assert (done.returncode, done.stdout) == (0, f"pilah-{package} {__version__}\n")


@pytest.mark.parametrize(("package", "verb"), VERBS)
def test_a_verb_tells_what_it_takes(everything: Installed, package: str, verb: str) -> None:
    done = everything.run(f"pilah-{package}", verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: pilah-{package} {verb}")


def test_every_recipe_can_be_read(everything: Installed) -> None:
    code = (
        "from trainer.recipes.reading import read_recipe, shipped_recipes\n"
        "for name in shipped_recipes():\n"
        "    recipe = read_recipe(name)\n"
        "    for variant in recipe.variants: read_recipe(name, variant=variant)\n"
        "    print(recipe.name)\n"
    )
    done = everything.run("python", "-c", code)
    shipped = sorted(file.stem for file in (ROOT / "trainer" / "recipes").glob("*.yaml"))
    assert done.stdout.split() == shipped, done.stderr


def test_a_ledger_is_made_by_the_migrations_that_were_installed(everything: Installed) -> None:
    code = (
        "import sqlite3\n"
        "from pathlib import Path\n"
        "from edge.ledger.ledger import Ledger\n"
        "path = Path('made.sqlite')\n"
        "Ledger(path).close()\n"
        "print([row[0] for row in sqlite3.connect(path).execute('select name from sqlite_master')])"
    )
    done = everything.run("python", "-c", code)
    assert "'items'" in done.stdout, done.stderr


def test_every_verb_has_words_here() -> None:
    assert set(WORDS) == set(VERBS)


@pytest.mark.parametrize(("package", "verb"), VERBS)
def test_without_an_extra_a_verb_says_which_to_install(
    nothing: Installed, package: str, verb: str
) -> None:
    assert nothing.run(f"pilah-{package}", verb, "--help").returncode == 0
    done = nothing.run(f"pilah-{package}", verb, *WORDS[package, verb])
    assert done.returncode == EXIT_UNAVAILABLE
    assert f"pip install --require-hashes -r deploy/locks/{package}.txt && " in done.stderr
    assert done.stderr.endswith(" . (in a clone of pilah's repository)\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("package", "verb"), [v for v in VERBS if v[0] != "edge" and v not in WITHOUT_TENSORFLOW]
)
def test_with_the_edge_alone_the_desktop_verbs_say_what_to_install(
    only_edge: Installed, package: str, verb: str
) -> None:
    done = only_edge.run(f"pilah-{package}", verb, *WORDS[package, verb])
    assert done.returncode == EXIT_UNAVAILABLE
    assert f"pip install --require-hashes -r deploy/locks/{package}.txt && " in done.stderr
    assert done.stderr.endswith(" . (in a clone of pilah's repository)\n")
    assert done.stderr.count("\n") == 1


def test_with_the_edge_alone_pictures_are_classified(
    only_edge: Installed, tiny_bundle: Path
) -> None:
    picture = tiny_bundle / "golden" / "0.png"
    done = only_edge.run("pilah-edge", "classify", tiny_bundle, picture)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(picture))


def test_what_the_wheel_leaves_out_is_asked_for_by_a_station_file_that_names_it(
    only_edge: Installed, tmp_path: Path
) -> None:
    station = tmp_path / "station.yaml"
    assert only_edge.run("pilah-edge", "init", station, "--camera", "belt").returncode == 0
    done = only_edge.run("pilah-edge", "roi", station)
    assert done.returncode == EXIT_CONFIG
    assert "camera.kind: belt is not installed here" in done.stderr
    assert "--editable" in done.stderr


def test_with_the_edge_alone_bundles_are_signed(
    only_edge: Installed, tiny_bundle: Path, tmp_path: Path
) -> None:
    bundle, key = shutil.copytree(tiny_bundle, tmp_path / "bundle"), tmp_path / "key"
    for words in (
        ["keygen", key],
        ["sign", bundle, "--key", key],
        ["verify-signature", bundle, "--public-key", f"{key}.pub"],
    ):
        done = only_edge.run("pilah-converter", *words)
        assert done.returncode == 0, done.stderr


def test_the_schema_has_the_kinds_that_are_installed(only_edge: Installed) -> None:
    done = only_edge.run("pilah-edge", "schema")
    assert done.returncode == 0, done.stderr
    kinds = json.loads(done.stdout)["properties"]["camera"]["discriminator"]["mapping"]
    assert "usb" in kinds
    assert "belt" not in kinds
