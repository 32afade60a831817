from __future__ import annotations

import re
import subprocess

import pytest

from tests.deploy.scripts import CHECKOUT, run_script, tool

SCRIPTS = (
    "deploy/find-python.sh",
    "deploy/install.sh",
    "deploy/setup.sh",
    "tests/arm64.sh",
    "tests/nspawn.sh",
)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_shellcheck_clean(name: str) -> None:
    found = subprocess.run(
        [tool("shellcheck", "shellcheck"), "--shell=sh", str(CHECKOUT / name)],
        capture_output=True,
        text=True,
    )
    assert found.stdout == ""
    assert found.returncode == 0


def test_every_script_is_checked() -> None:
    found = {
        script.relative_to(CHECKOUT).as_posix()
        for folder in ("deploy", "tests")
        for script in (CHECKOUT / folder).rglob("*.sh")
    }
    assert found == set(SCRIPTS)


def test_the_installer_says_what_it_takes() -> None:
    helped = run_script("install.sh", "--help")
    assert helped.returncode == 0
    assert "deploy/install.sh" in helped.stdout
    wrong = run_script("install.sh", "--no-such-option")
    assert wrong.returncode == 2
    assert "unknown: --no-such-option" in wrong.stderr


def test_the_options_of_the_installer_are_those_of_its_help() -> None:
    text = (CHECKOUT / "deploy" / "install.sh").read_text("utf-8")
    taken = re.findall(r"^ {8}(--[\w-]+)(?: \| -h)?\)", text, re.MULTILINE)
    told = re.findall(r"^  (--[\w-]+)", run_script("install.sh", "--help").stdout, re.MULTILINE)
    assert sorted(taken) == sorted(told)
