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
    ("3.11", "edge", "ai-edge-litert"),
    ("3.12", "edge", "ai-edge-litert"),
    ("3.13", "edge", "ai-edge-litert"),
    ("3.11", "legacy", "tflite-runtime"),
]
LARGEST_RESIDENT_MB = 130
"""Of a running station, on a machine with a gigabyte."""

# A small process starts the station: a child begins with the peak of the process it came from.
PEAK = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.fixture(
    scope="module", params=ENVIRONMENTS, ids=[f"{extra}-{v}" for v, extra, *_ in ENVIRONMENTS]
)
def environment(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Installed, str]:
    """An environment made by pip as a station's would be, and the TFLite runtime it must have."""
    version, extra, runtime = request.param
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"there is no python{version} here")
    folder = tmp_path_factory.mktemp(extra) / "venv"
    subprocess.run([python, "-m", "venv", folder], check=True)
    made = Installed(folder)
    lock = ROOT / "deploy" / "locks" / f"{extra}.txt"
    for words in (["--require-hashes", "-r", lock], ["--no-deps", wheel]):
        done = made.run("python", "-m", "pip", "install", "--quiet", *words)
        assert done.returncode == 0, done.stderr
    return made, runtime


def test_what_was_installed_fits_together(environment: tuple[Installed, str]) -> None:
    made, _ = environment
    done = made.run("python", "-m", "pip", "check")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", ["tensorflow", "keras", "sklearn"])
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
    forget_written_pages(made.folder)
    station = make_station(tmp_path / "station", bundle=tiny_bundle)
    done = made.run("python", "-c", PEAK, made.bin / "pilah-edge", "run", station)
    assert done.returncode == 0, done.stderr
    assert "cold 1, rest 1, warm 1" in done.stderr
    assert int(done.stdout.splitlines()[-1]) / 1024 < LARGEST_RESIDENT_MB


def forget_written_pages(folder: Path) -> None:
    """Has libraries read from the disk again, as after a start of the machine.

    What pip has just written lies in memory in larger pieces, of which more counts as resident:
    36 MB of OpenCV alone.
    """
    for file in folder.rglob("*.so*"):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
