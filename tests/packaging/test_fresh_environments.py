"""What pip makes of an extra and its pins, and that a station works with just that.

Takes 250 MB and half a minute for each environment, and needs the package registry.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bundles import LABELS
from tests.edge.stations import make_station
from tests.packaging.installed import ROOT, Installed

pytestmark = pytest.mark.slow

ENVIRONMENTS = [
    ("3.11", "edge", "constraints.txt", "ai-edge-litert"),
    ("3.12", "edge", "constraints.txt", "ai-edge-litert"),
    ("3.13", "edge", "constraints.txt", "ai-edge-litert"),
    ("3.11", "legacy", "constraints-legacy.txt", "tflite-runtime"),
]
LARGEST_RESIDENT_MB = 130
"""Of a running station, on a machine with a gigabyte."""


@pytest.fixture(
    scope="module", params=ENVIRONMENTS, ids=[f"{extra}-{v}" for v, extra, *_ in ENVIRONMENTS]
)
def environment(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Installed, str]:
    """An environment made by pip as a station's would be, and the TFLite runtime it must have."""
    version, extra, pins, runtime = request.param
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"there is no python{version} here")
    folder = tmp_path_factory.mktemp(extra) / "venv"
    subprocess.run([python, "-m", "venv", folder], check=True)
    made = Installed(folder)
    constraint = f"--constraint={ROOT / 'deploy' / pins}"
    done = made.run("python", "-m", "pip", "install", "--quiet", constraint, f"{wheel}[{extra}]")
    assert done.returncode == 0, done.stderr
    return made, runtime


def test_what_was_installed_fits_together(environment: tuple[Installed, str]) -> None:
    made, _ = environment
    done = made.run("python", "-m", "pip", "check")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", ["tensorflow", "keras", "matplotlib"])
def test_nothing_of_training_is_there(environment: tuple[Installed, str], package: str) -> None:
    made, _ = environment
    done = made.run("python", "-c", f"import {package}")
    assert f"No module named '{package}'" in done.stderr


def test_a_bundle_is_inspected_with_the_runtime_of_the_extra(
    environment: tuple[Installed, str], tiny_bundle: Path
) -> None:
    made, runtime = environment
    done = made.run("pilah-edge", "inspect", tiny_bundle, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runtime"].startswith(runtime)


def test_pictures_are_classified_and_evaluated(
    environment: tuple[Installed, str], tiny_bundle: Path, tmp_path: Path
) -> None:
    made, _ = environment
    station = make_station(tmp_path / "station", bundle=tiny_bundle)
    photos = sorted((station.parent / "photos").iterdir())
    done = made.run("pilah-edge", "classify", tiny_bundle, *photos, "--json")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["label"] for line in done.stdout.splitlines()] == list(LABELS)
    for label, photo in zip(LABELS, photos, strict=True):
        (tmp_path / "labelled" / label).mkdir(parents=True)
        shutil.copy(photo, tmp_path / "labelled" / label)
    done = made.run("pilah-edge", "evaluate", tiny_bundle, tmp_path / "labelled", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"] == 1


def test_a_bundle_is_timed(environment: tuple[Installed, str], tiny_bundle: Path) -> None:
    made, runtime = environment
    done = made.run("pilah-edge", "bench", tiny_bundle, "--json", "--num-runs", "5")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runtime"].startswith(runtime)


def test_a_station_sorts_in_little_memory(
    environment: tuple[Installed, str], tiny_bundle: Path, tmp_path: Path
) -> None:
    made, _ = environment
    station = make_station(tmp_path / "station", bundle=tiny_bundle)
    command: list[str | Path] = [made.bin / "pilah-edge", "run", station, "--max-items", "3"]
    with subprocess.Popen(command, cwd=tmp_path, env=made.environment) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_maxrss / 1024 < LARGEST_RESIDENT_MB
