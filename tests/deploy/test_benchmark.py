from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.scripts import CHECKOUT, run_script


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pilah-edge has printed so far, a file for each command."""
    return tmp_path_factory.mktemp("recorded")


@pytest.fixture
def machine(tmp_path: Path, recorded: Path) -> dict[str, str]:
    """An environment with this checkout's pilah-edge, and a stand-in for the Pi's vcgencmd.

    A measurement takes seconds, so pilah-edge computes each command that ends well only once.
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    scripts = {
        "pilah-edge": f'file="{recorded}/$(echo "$*" | cksum | cut -d " " -f 1)"\n'
        f'export PYTHONPATH="{CHECKOUT}"\n'
        f'[ -e "$file" ] || "{sys.executable}" -m edge "$@" > "$file.new" || exit\n'
        '[ -e "$file" ] || mv "$file.new" "$file"\n'
        'cat "$file"',
        "nproc": "echo $CORES",
        "vcgencmd": "case $1 in\n"
        '    measure_temp) echo "temp=61.3\'C" ;;\n'
        "    get_throttled) echo throttled=$BITS ;;\n"
        "esac",
    }
    for name, text in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PILAH_EDGE": str(programs / "pilah-edge"),
        "BITS": "0x0",
        "CORES": "1",
    }


def benchmark(bundle: Path, folder: Path, machine: dict[str, str]) -> tuple[Any, str, str]:
    """(the JSON file, what was printed, what was said)."""
    file = folder / "benchmark.json"
    found = run_script(
        "benchmark.sh", str(bundle), "--seconds", "1", "--json", str(file), environment=machine
    )
    assert found.returncode == 0, found.stderr
    return json.loads(file.read_text()), found.stdout, found.stderr


def test_each_number_of_threads_is_a_row_and_an_object(
    tiny_bundle: Path, tmp_path: Path, machine: dict[str, str]
) -> None:
    found, table, _ = benchmark(tiny_bundle, tmp_path, {**machine, "CORES": "2"})
    assert [run["threads"] for run in found["runs"]] == [1, 2]
    for run in found["runs"]:
        total = run["stages"]["total"]["p50_ms"]
        row = next(line for line in table.splitlines() if line.startswith(f"{run['threads']} "))
        assert row.split()[1] == f"{total:.2f}"
        assert run["temperature_celsius"] == 61.3
    assert found["machine"]["cores"] == 2
    assert found["machine"]["ram_mb"] > 0
    assert found["pilah"].startswith("pilah-edge ")
    assert found["temperature_celsius"] == {"before": 61.3, "after": 61.3}
    assert "temperature 61.3 C before, 61.3 C after" in table


@pytest.mark.parametrize(
    ("bits", "meaning"),
    [
        # No two bits stand in the same of these, so that none can be taken for another.
        ("0x0", []),
        ("0xb", ["under-voltage now", "clock capped now", "soft temperature limit now"]),
        ("0x5", ["under-voltage now", "throttled now"]),
        ("0x30000", ["under-voltage since boot", "clock capped since boot"]),
        (
            "0x50008",
            ["soft temperature limit now", "under-voltage since boot", "throttled since boot"],
        ),
        ("0x80000", ["soft temperature limit since boot"]),
    ],
)
def test_throttle_bits_are_told_in_words(
    bits: str, meaning: list[str], tiny_bundle: Path, tmp_path: Path, machine: dict[str, str]
) -> None:
    found, table, talk = benchmark(tiny_bundle, tmp_path, {**machine, "BITS": bits})
    assert found["throttled"] == {"before": bits, "after": bits, "meaning": meaning}
    assert (", ".join(meaning) or f"none ({bits})") in table
    assert ("slowed down" in talk) == bool(meaning)


def test_what_a_machine_does_not_tell_is_null_and_said(
    tiny_bundle: Path, tmp_path: Path, machine: dict[str, str]
) -> None:
    (tmp_path / "bin" / "vcgencmd").write_text("#!/bin/sh\nexit 255\n")
    found, table, talk = benchmark(tiny_bundle, tmp_path, machine)
    assert found["throttled"] == {"before": None, "after": None, "meaning": []}
    assert "throttling  -" in table
    assert "no vcgencmd here" in talk


def test_a_failing_bench_ends_it_with_its_message(tmp_path: Path, machine: dict[str, str]) -> None:
    found = run_script(
        "benchmark.sh", str(tmp_path / "no-bundle"), environment=machine, cwd=tmp_path
    )
    assert found.returncode == 65
    assert "no-bundle" in found.stderr
    assert not list(tmp_path.glob("*.json"))
