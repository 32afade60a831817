"""Writes the lock files in `deploy/locks`: what each extra brings, with the hash of every file.

    make lock                    keep what is pinned; add what is new, drop what has gone
    make lock ARGS=--upgrade     the newest versions that serve everywhere

uv resolves each extra for all Pythons and machines at once, from wheels only and without installing
anything. What all extras bring together is resolved first and binds each of them, so that one
version of everything serves everywhere, but for `legacy`. uv asks the index that UV_DEFAULT_INDEX
names, where it is set.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent
PROJECT = DEPLOY.parent / "pyproject.toml"
LOCKS = DEPLOY / "locks"


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock file."""

    extras: tuple[str, ...]
    pythons: str = "python_version >= '3.11' and python_version < '3.14'"
    machines: tuple[str, ...] = ("x86_64", "aarch64")
    left_out: tuple[str, ...] = ()
    """Packages that are had otherwise than by pip."""
    free: tuple[str, ...] = ()
    """Packages whose versions differ from those of the other lock files."""

    @property
    def environments(self) -> list[str]:
        """The environments that it serves, as markers."""
        return [
            f"sys_platform == 'linux' and platform_machine == '{machine}' and {self.pythons}"
            for machine in self.machines
        ]


FILES: Mapping[str, Lock] = {
    "edge": Lock(("edge",)),
    # A Raspberry Pi has picamera2 from its system's packages.
    "pi": Lock(("pi",), machines=("aarch64",), left_out=("picamera2",)),
    "legacy": Lock(
        ("legacy",),
        pythons="python_version >= '3.11' and python_version < '3.12'",
        free=("numpy", "opencv-python-headless"),
    ),
    "parquet": Lock(("edge", "parquet")),
    "codes": Lock(("edge", "codes")),
    "publish": Lock(("edge", "publish")),
    "web": Lock(("edge", "web")),
    "trainer": Lock(("trainer",)),
    "kaggle": Lock(("trainer", "kaggle")),
    "sweep": Lock(("trainer", "sweep")),
    "converter": Lock(("converter",)),
    "tfjs": Lock(("tfjs",)),
    "gpu": Lock(("gpu",), machines=("x86_64",)),
    "test": Lock(("edge", "test")),
    "dev": Lock(("edge", "trainer", "converter", "dev")),
}
"""Each file in `deploy/locks`, by its name there."""

EVERYTHING = Lock(("edge", "parquet", "codes", "publish", "web", "kaggle", "sweep", "tfjs", "dev"))
"""What binds the others. `gpu` has another build of TensorFlow, of the same version."""

HEADER = """\
# What pilah[{extras}] brings on Linux, with {pythons}.
# Written by deploy/lock.py (`make lock`), which says how; not by hand. To install it:
#     pip install --require-hashes -r deploy/locks/{name}.txt
#     pip install --no-deps --no-build-isolation .
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Write deploy/locks/*.txt.")
    parser.add_argument("--upgrade", action="store_true", help="do not keep what is pinned")
    upgrade = parser.parse_args().upgrade

    LOCKS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        kept: dict[str, str] = {}
        for title, lock in FILES.items():
            if not upgrade and not lock.free:
                kept |= read_pins(LOCKS / f"{title}.txt")
        pins = pins_of(resolve(EVERYTHING, scratch, preferred=kept, binding={}))
        for title, lock in FILES.items():
            old = {} if upgrade else read_pins(LOCKS / f"{title}.txt")
            binding = {package: pin for package, pin in pins.items() if package not in lock.free}
            found = resolve(lock, scratch, preferred=old, binding=binding)
            header = HEADER.format(extras=",".join(lock.extras), pythons=lock.pythons, name=title)
            (LOCKS / f"{title}.txt").write_text(header + found)
            print(f"deploy/locks/{title}.txt: {len(pins_of(found))} packages", file=sys.stderr)
    for file in LOCKS.glob("*.txt"):
        if file.stem not in FILES:
            file.unlink()
    return 0


def resolve(
    lock: Lock, scratch: Path, *, preferred: Mapping[str, str], binding: Mapping[str, str]
) -> str:
    """What a lock file holds below its header.

    Args:
        scratch: a folder for files in between.
        preferred: versions that are taken where they can be, by package.
        binding: versions that must be taken.
    """
    project, out, pins, build, left_out = (
        scratch / name
        for name in ("pyproject.toml", "out.txt", "pins.txt", "build.txt", "left-out.txt")
    )
    text = PROJECT.read_text()
    # uv reads for which environments it is from the project alone.
    project.write_text(f"{text}\n[tool.uv]\nrequired-environments = {lock.environments}\n")
    # What `pip install --no-build-isolation` builds pilah with.
    build.write_text("\n".join(tomllib.loads(text)["build-system"]["requires"]))
    out.write_text(lines(preferred))
    pins.write_text(lines(binding))
    left_out.write_text("".join(f"{name}; python_version < '3'\n" for name in lock.left_out))
    words = [sys.executable, "-m", "uv", "pip", "compile", str(project), str(build), "--quiet"]
    words += ["--universal", "--generate-hashes", "--only-binary=:all:", "--python-version=3.11"]
    words += ["--no-annotate", "--no-header"]
    words += [f"--extra={extra}" for extra in lock.extras]
    words += [f"--override={left_out}", f"--constraint={pins}", f"--output-file={out}"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=scratch)
    return out.read_text()


def read_pins(file: Path) -> dict[str, str]:
    """The version of each package in a lock file; nothing where there is no file."""
    return pins_of(file.read_text()) if file.is_file() else {}


def pins_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE))


def lines(pins: Mapping[str, str]) -> str:
    return "".join(f"{package}=={version}\n" for package, version in sorted(pins.items()))


if __name__ == "__main__":
    sys.exit(main())
