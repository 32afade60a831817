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


@pytest.mark.parametrize(("took", "held"), [(15, True), (18, False)])
def test_a_slow_machine_on_which_15_seconds_are_not_held_is_told_so(took: int, held: bool) -> None:
    text = (CHECKOUT / "tests" / "nspawn.sh").read_text("utf-8")
    (function,) = re.findall(r"^sorts_again\(\) \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    last = text.splitlines()[-1]
    around = (
        "set -eu\nusec=5000000 limit=19 late= home=.\nsay() { echo \"$*\"; }\nwait_for() { :; }\n"
        f"rows() {{ :; }}\nshell() {{ echo {took}; }}\nfail() {{ exit 1; }}\n"
    )  # fmt: skip
    found = subprocess.run(
        ["sh", "-c", f"{around}{function}sorts_again 0\n{last}\n"], capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert f"sorts again within {took} seconds" in found.stdout
    assert ("all as it should be\n" in found.stdout) is held
    assert ("NOT held (18; a start takes 5000 ms here)" in found.stdout) is not held
