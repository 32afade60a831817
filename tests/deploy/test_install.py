from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bundles import make_bundle
from tests.deploy.scripts import DEPLOY, run_script, tool

OWN = ("/opt/pilah", "/etc/pilah", "/var/lib/pilah", "/etc/systemd/system/pilah.service")


@pytest.fixture(autouse=True)
def debian() -> None:
    """The installer asks apt and dpkg even when it changes nothing."""
    tool("apt-get", "apt: this is no Debian")
    if any(Path(path).exists() for path in OWN):
        pytest.skip("pilah is installed on this machine")


def dry_run(*words: str) -> list[str]:
    """The commands that an install would run."""
    found = run_script("install.sh", "--dry-run", "--any-arch", "--without-picamera2", *words)
    assert found.returncode == 0, found.stderr
    assert found.stderr.rstrip().endswith("dry run: nothing was changed")
    assert not any(Path(path).exists() for path in OWN)
    return [line[2:] for line in found.stderr.splitlines() if line.startswith("+ ")]


def test_a_dry_run_prints_every_command_and_runs_none(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "my bundle")
    text = (DEPLOY / "examples" / "two-flap-bin.yaml").read_text(encoding="utf-8")
    for old, new in (("cardboard, paper", "red"), ("glass, plastic, trash", "blue")):
        text = text.replace(f"[{old}]", f"[{new}]")
    station = tmp_path / "two-flap-bin.yaml"
    station.write_text(text.replace("[metal]", "[green]"), encoding="utf-8")
    commands = "\n".join(dry_run("--station", str(station), "--bundle", str(bundle)))
    for part in (
        r"useradd .*--home-dir /var/lib/pilah .*pilah$",
        r"-m venv --clear --system-site-packages /opt/pilah$",
        r"pip install .*--require-hashes --requirement \S+/deploy/locks/edge\.txt$",
        r"pip install .*--no-deps --no-build-isolation \S+$",
        r"install .*two-flap-bin\.yaml /etc/pilah/station\.yaml$",
        r"install .*/station\.schema\.json /etc/pilah/station\.schema\.json$",
        r"/pilah-edge install '.*/my bundle' /etc/pilah/station\.yaml$",
        r"install .*/deploy/pilah\.service /etc/systemd/system/pilah\.service$",
        r"systemctl enable --quiet pilah\.service$",
    ):
        assert re.search(part, commands, re.MULTILINE), part


@pytest.mark.parametrize("asked", ["the program", "the labels alone"])
def test_a_dry_run_says_that_a_bundle_does_not_fit(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = ("glass", "zucchini")
    bundle = make_bundle(tmp_path / "bundle", labels=labels)
    script = DEPLOY / "install.sh"
    if asked == "the labels alone":  # a checkout in which nothing is set up
        script = Path(shutil.copytree(DEPLOY, tmp_path / "deploy")) / "install.sh"
        monkeypatch.setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    words = ("--dry-run", "--any-arch", "--without-picamera2", "--example", "two-flap-bin")
    found = subprocess.run(
        ["sh", str(script), *words, "--bundle", str(bundle)], capture_output=True, text=True
    )
    assert found.returncode == 1
    assert "no lane for 'zucchini'" in found.stderr
    assert "would not be started, for the bundle and the station file do not fit" in found.stderr
    assert "installed; it" not in found.stderr
    assert found.stderr.rstrip().endswith("dry run: nothing was changed")


@pytest.mark.parametrize("shown", [True, False])
def test_the_pages_are_a_service_where_the_station_file_has_them(
    tmp_path: Path, shown: bool
) -> None:
    station = tmp_path / "station.yaml"
    section = "web: {}\n" if shown else ""
    station.write_text(f"station: a\ncamera:\n  kind: usb\n{section}", encoding="utf-8")
    commands = "\n".join(dry_run("--station", str(station)))
    assert ("/locks/web.txt" in commands) == shown
    assert ("systemctl enable --quiet pilah-web.service" in commands) == shown
    assert ("pilah-web.service /etc/systemd/system" in commands) == shown


@pytest.mark.parametrize("publishes", [True, False])
@pytest.mark.parametrize("camera", ["usb", "stream"])
def test_who_has_the_network_is_as_the_station_file_asks(
    tmp_path: Path, publishes: bool, camera: str
) -> None:
    station = tmp_path / "station.yaml"
    section = "publish: {mqtt: {host: broker}}\n" if publishes else ""
    station.write_text(f"station: a\ncamera:\n  kind: {camera}\n{section}", encoding="utf-8")
    commands = "\n".join(dry_run("--station", str(station)))
    assert ("/locks/publish.txt" in commands) == publishes
    assert ("systemctl enable --quiet pilah-publish.service" in commands) == publishes
    assert ("pilah-publish.service /etc/systemd/system" in commands) == publishes
    assert ("camera-network.conf" in commands) == (camera == "stream")


def test_without_a_station_file_nothing_is_started_and_the_next_steps_are_told() -> None:
    found = run_script("install.sh", "--dry-run", "--any-arch", "--without-picamera2")
    assert found.returncode == 0
    assert "+ systemctl" not in found.stderr
    for told in ("/etc/pilah/station.yaml", "--bundle FOLDER", "wiring.md"):
        assert told in found.stderr


def test_a_bundle_without_a_station_file_is_not_installed(tmp_path: Path) -> None:
    commands = "\n".join(dry_run("--bundle", str(make_bundle(tmp_path / "bundle"))))
    assert "pilah-edge install" not in commands


def test_an_uninstall_where_nothing_is_installed_does_nothing() -> None:
    found = run_script("install.sh", "--dry-run", "--uninstall")
    assert found.returncode == 0
    assert not [line for line in found.stderr.splitlines() if line.startswith("+ ")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--station"], "--station: needs a value"),
        (["--station", "/nowhere.yaml"], "no such file: /nowhere.yaml"),
        (["--example", "four-flap-bin"], "no such example: four-flap-bin"),
        (["--bundle", "/tmp"], "not a bundle's folder: /tmp"),
        (["--example", "two-flap-bin", "--example", "receiving-table"], "one station file"),
        (["now"], "unknown: now"),
    ],
)
def test_wrong_words_are_told(words: list[str], told: str) -> None:
    found = run_script("install.sh", "--dry-run", *words)
    assert found.returncode == 2
    assert told in found.stderr


def test_the_help_names_every_example_for_a_pi() -> None:
    helped = run_script("install.sh", "--help").stdout
    for example in (DEPLOY / "examples").glob("*.yaml"):
        for_a_pi = "install.sh --" in example.read_text("utf-8")
        assert (example.stem in helped) == for_a_pi, example.name


def test_another_machine_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "uname").write_text("#!/bin/sh\necho armv7l\n")
    (tmp_path / "uname").chmod(0o755)
    path = f"{tmp_path}:{Path(shutil.which('sh') or '/bin/sh').parent}:/usr/bin:/bin"
    found = run_script("install.sh", "--dry-run", environment={"PATH": path})
    assert found.returncode == 69
    assert "armv7l" in found.stderr
    assert "64-bit Raspberry Pi OS" in found.stderr
