"""Write a first station file for a bundle: a lane for each label, ready to run on a folder."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from edge.cli import say
from edge.errors import EXIT_OK, StorageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="file to write")
    parser.add_argument(
        "--photos", type=Path, required=True, metavar="FOLDER", help="pictures to run on at first"
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.files import storage_errors, write_file
    from edge.model.bundle import read_bundle

    bundle = read_bundle(arguments.bundle)
    file: Path = arguments.station
    if file.exists():
        raise StorageError(f"{file} is there already: choose another name or remove it")
    folder = file.absolute().parent
    with storage_errors("create", folder):
        folder.mkdir(parents=True, exist_ok=True)
    text = station_text(
        labels=bundle.labels,
        bundle=_relative(arguments.bundle, folder),
        photos=_relative(arguments.photos, folder),
    )
    write_file(file, text)
    say(f"{file}: next `pilah-edge check {file}`, then `pilah-edge run {file}`")
    return EXIT_OK


def station_text(*, labels: Sequence[str], bundle: str, photos: str) -> str:
    """A station file with a lane for each of `labels`; paths as they are to stand in it."""
    rest = "rejects" if "rejects" not in labels else "rejected items"
    lanes = "".join(f"  {_quoted(label)}: {{labels: [{_quoted(label)}]}}\n" for label in labels)
    return f"""\
# A station. `pilah-edge check` finds mistakes in this file, `pilah-edge run` sorts.
# Paths are relative to this file.
station: first-station
bundle: {_quoted(bundle)}

camera:
  kind: folder               # photographs as frames, to try things out
  path: {_quoted(photos)}
  frames_per_second: 5

trigger: {{kind: continuous}}  # every frame is an item

# Where items go. A lane without an actuator is only written down. To move something:
#   paper:
#     labels: [paper, cardboard]
#     delay_seconds: 0.5     # from the camera to the flap
#     actuator: {{kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.6}}
lanes:
{lanes}  {_quoted(rest)}: {{labels: []}}
default_lane: {_quoted(rest)}       # of what is not accepted

ledger:
  path: ledger.sqlite        # a row for every item
"""


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder)).as_posix()


def _quoted(text: str) -> str:
    """`text` as it can stand in YAML, quoted where YAML would read something else."""
    from edge.yaml_file import read_value

    is_plain = re.fullmatch(r"[A-Za-z0-9./][A-Za-z0-9./_-]*", text) and read_value(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)
