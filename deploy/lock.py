"""Writes the constraints files beside it: one version of everything, for every environment.

    python deploy/lock.py             keep what is pinned; add what is new, drop what has gone
    python deploy/lock.py --upgrade   the newest versions that serve everywhere

pip resolves, once for each Python and machine named below, from wheels only and without
installing anything. The oldest Python comes first and what it gets binds the others, so that one
version serves everywhere. python3.11, python3.12 and python3.13 must be on the PATH.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent
PYTHONS = ("3.11", "3.12", "3.13")
MACHINES = ("x86_64", "aarch64")
GLIBC = range(5, 37)
"""Minor versions of glibc 2 whose wheels may be taken; Debian 12 and Raspberry Pi OS have 2.36."""

# pip evaluates the markers of requirements for the machine it runs on, whatever --platform says;
# and it downloads what it has resolved, even with --dry-run: gigabytes, for CUDA.
PIP_ON_MACHINE = """
import platform, sys
platform.machine = lambda: sys.argv[1]
from pip._internal.cli.main import main
from pip._internal.operations.prepare import RequirementPreparer
RequirementPreparer.prepare_linked_requirements_more = lambda *arguments, **options: None
sys.exit(main(sys.argv[2:]))
"""

HEADER = """\
# What pilah is tested with: {what}.
# Written by deploy/lock.py (`make lock`), which says how; not by hand.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write deploy/constraints*.txt.")
    parser.add_argument("--upgrade", action="store_true", help="do not keep what is pinned")
    upgrade = parser.parse_args().upgrade

    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for version in PYTHONS:
            subprocess.run(
                [f"python{version}", "-m", "venv", "--upgrade-deps", str(scratch / version)],
                check=True,
            )
        path = DEPLOY / "constraints.txt"
        old = {} if upgrade else read_pins(path)
        pins: dict[str, str] = {}
        for version in PYTHONS:
            for machine in MACHINES:
                for extras in ("edge,trainer,converter,dev", "edge,gpu,dev"):
                    if "gpu" in extras and machine != "x86_64":
                        continue
                    pins |= resolve(
                        f"{DEPLOY.parent}[{extras}]",
                        python=scratch / version / "bin" / "python",
                        machine=machine,
                        pins=old | pins,
                    )
        # The rest of the extra `pi` comes with the camera's own packages (see pyproject.toml).
        for requirement, version in (("lgpio>=0.2.2", "3.11"), ("simplejpeg>=1.8.2", "3.13")):
            pins |= resolve(
                requirement,
                python=scratch / version / "bin" / "python",
                machine="aarch64",
                pins=old | pins,
            )
        write_pins(path, pins, what="every extra but `legacy`, Python 3.11 to 3.13, Linux")

        path = DEPLOY / "constraints-legacy.txt"
        old = {} if upgrade else read_pins(path)
        free = ("numpy", "opencv-python-headless")
        legacy: dict[str, str] = {}
        for machine in MACHINES:
            legacy |= resolve(
                f"{DEPLOY.parent}[legacy,dev]",
                python=scratch / "3.11" / "bin" / "python",
                machine=machine,
                pins=old | {k: v for k, v in pins.items() if k not in free} | legacy,
            )
        write_pins(path, legacy, what="the extra `legacy`, with `dev`, Python 3.11, Linux")
    return 0


def resolve(
    requirement: str, *, python: Path, machine: str, pins: Mapping[str, str]
) -> dict[str, str]:
    """The version of everything that `requirement` brings, by normalised name.

    Args:
        python: an interpreter with pip.
        machine: as `platform.machine()` would say.
        pins: versions that are settled already.
    """
    print(f"{requirement} for {python.parents[1].name} on {machine}", file=sys.stderr)
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in reversed(GLIBC)]
    platforms += [f"manylinux{year}_{machine}" for year in ("2014", "2010", "1")]
    with tempfile.TemporaryDirectory() as name:
        settled, report = Path(name) / "pins.txt", Path(name) / "report.json"
        settled.write_text("".join(f"{k}=={v}\n" for k, v in pins.items()))
        pip = [str(python), "-c", PIP_ON_MACHINE, machine, "install", "--dry-run", "--quiet"]
        pip += ["--disable-pip-version-check", "--ignore-installed", "--only-binary=:all:"]
        pip += [f"--platform={platform}" for platform in platforms]
        pip += [f"--target={name}/target", f"--report={report}", f"--constraint={settled}"]
        subprocess.run([*pip, requirement], check=True)
        installed = json.loads(report.read_text())["install"]
    found = {
        re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower(): item["metadata"]["version"]
        for item in installed
    }
    found.pop("pilah", None)
    return found


def read_pins(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def write_pins(path: Path, pins: Mapping[str, str], *, what: str) -> None:
    lines = "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
    path.write_text(HEADER.format(what=what) + lines)
    print(f"{path}: {len(pins)} pins", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
