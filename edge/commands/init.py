"""Write a first station file: its camera before there is a bundle, then a lane for each label.

Without BUNDLE, the file has what `roi` and `capture` need. With BUNDLE, the file is ready to run; a
file that was written without it is completed, and its own lines stay as they are. Beside a new
file, `station.schema.json` is written, with which editors complete and check the station file.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.core.errors import EXIT_OK, StorageError, UsageError

_log = logging.getLogger(__name__)

_CAMERAS: Mapping[str, str] = {
    "usb": """\
camera:
  kind: usb
  device: 0                  # better: its link in /dev/v4l/by-id, which stays the same
  width: 640
  height: 480
  frames_per_second: 30
""",
    "picamera": """\
camera:
  kind: picamera
  width: 640
  height: 480
  frames_per_second: 30
""",
    "stream": """\
camera:
  kind: stream
  url: rtsp://CAMERA/stream  # put yours here: rtsp://... or http://... of an MJPEG stream
""",
    "belt": """\
camera:
  kind: belt                 # simulated: drawn things pass, to try things out
""",
}
_MOTION = """
# The part of the picture to look at. `pilah-edge roi` draws it, with rulers to read it off.
# region: {left: 0, top: 0, width: 640, height: 480}

# What comes into view, and leaves again, is an item. `pilah-edge trigger` shows what it takes for
# one, and tries other values; these are for things that come one by one.
trigger:
  kind: motion
  min_area: 0.01             # the smallest item, as a share of the region
  contrast: 10               # levels, of 255; less finds fainter things, more ignores more noise
  min_gap: 0.3               # what is nearer to each other than this share of the region is one
                             # thing; less where things come closer together
"""
_PHOTOGRAPHS: Mapping[str, str] = {
    "none": "# photographs: {items: rejected, share: 0.02, days: 30}\n",
    "rejected": "photographs: {items: rejected, share: 0.02, days: 30}\n",
    "all": "photographs: {items: all, days: 30}\n",
}
_SCHEMA = "station.schema.json"
"""The name of the JSON Schema that lies beside a station file."""
_OF_THE_BUNDLE = ("bundle", "lanes", "default_lane", "ledger")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bundle", type=Path, nargs="?", metavar="BUNDLE", help="bundle folder or zip file"
    )
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="file to write")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--camera", choices=list(_CAMERAS), help="the kind of camera")
    parser.add_argument(
        "--keep-photographs",
        choices=("none", "rejected", "all"),
        default="none",
        help="of which sorted items a photograph is kept for 30 days, in which people may be: of "
        "none, of rejected ones and one in 50 of the others, or of all (none)",
    )
    source.add_argument(
        "--photos", type=Path, metavar="FOLDER", help="pictures in place of a camera, to try it out"
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.core.files import storage_errors, write_file
    from edge.core.model.bundle import read_bundle
    from edge.core.terminal.hints import command
    from edge.flow import EMPTY

    file: Path = arguments.station
    bundle = None if arguments.bundle is None else read_bundle(arguments.bundle)
    kept = arguments.keep_photographs
    if bundle is None and kept != "none":
        raise UsageError("--keep-photographs needs BUNDLE: before that, nothing is sorted")
    has_source = arguments.camera is not None or arguments.photos is not None
    if bundle is not None and file.exists() and not has_source:
        text = _incomplete(file, more=() if kept == "none" else ("photographs",))
    elif file.exists():
        advice = "choose another name or remove it"
        if arguments.bundle is not None:
            complete = command("pilah-edge", "init", arguments.bundle, file)
            advice += (
                f". If it has a camera and no bundle yet, `{complete}`, without --camera and "
                "--photos, completes it"
            )
        raise StorageError(f"{file} is there already: {advice}")
    elif not has_source:
        raise UsageError(
            f"{file} is not there yet, so say where its frames come from: --camera "
            f"{'|'.join(_CAMERAS)}, or --photos FOLDER to try it out"
        )
    else:
        folder = file.absolute().parent
        with storage_errors("create", folder):
            folder.mkdir(parents=True, exist_ok=True)
        _write_schema(file.with_name(_SCHEMA))
        photos = None if arguments.photos is None else _relative(arguments.photos, folder)
        name = name_after(file)
        text = vision_text(name, camera=arguments.camera, photos=photos)
        _log.info(
            f"{file}: the station is called {name}, as its file or folder is; `station:` in the "
            "file changes that"
        )
    if bundle is None:
        write_file(file, text)
        capture = command("pilah-edge", "capture", file, "--label", "LABEL")
        verbs = ("roi",) if arguments.photos is not None else ("roi", "trigger")
        first = ", ".join(f"`{command('pilah-edge', verb, file)}`" for verb in verbs)
        _log.info(f"{file}: next {first}, then `{capture}`")
        return EXIT_OK
    # `empty` stands for a picture without an item, which needs no lane.
    labels = [label for label in bundle.labels if label != EMPTY]
    path = _relative(arguments.bundle, file.absolute().parent)
    write_file(file, text + sorting_text(labels=labels, bundle=path, photographs=kept))
    if kept != "none":
        _log.info(
            f"{file}: photographs of items are kept for 30 days, and people may be in them: "
            "without the section `photographs`, none is kept"
        )
    check, sort = (command("pilah-edge", verb, file) for verb in ("check", "run"))
    _log.info(f"{file}: next `{check}`, then `{sort}`")
    return EXIT_OK


def name_after(file: Path) -> str:
    """The name of a new station: that of its file, or of its folder if the file is station.yaml.

    Characters that the name of a station may not have become hyphens. If nothing else is left, the
    name is "station".
    """
    named = file.absolute()
    told = named.stem if named.stem != "station" else named.parent.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", told).strip("._-")[:64] or "station"


def vision_text(name: str, *, camera: str | None, photos: str | None) -> str:
    """The part of a station file that describes the camera and the trigger.

    Args:
        name: the name of the station.
        camera: a kind that `--camera` accepts; None if there are `photos`.
        photos: a folder of pictures, as it is written in the file.
    """
    text = f"""\
# yaml-language-server: $schema={_SCHEMA}
# A station. `pilah-edge check` finds mistakes in this file, `pilah-edge run` sorts. Before it has a
# bundle: `pilah-edge capture` takes photographs to train one, and `pilah-edge init BUNDLE` with
# this file then adds what it lacks. Paths are relative to this file.
station: {_quoted(name)}

"""
    if photos is None:
        return text + _CAMERAS[camera or "usb"] + _MOTION
    return f"""{text}\
camera:
  kind: folder               # photographs as frames, to try things out
  path: {_quoted(photos)}
  frames_per_second: 5

trigger: {{kind: continuous}}  # every frame is an item
"""


def sorting_text(*, labels: Sequence[str], bundle: str, photographs: str = "none") -> str:
    """The rest of a station file, with a lane for each of `labels`.

    Args:
        bundle: its path, as it is written in the file.
        photographs: of which items one is kept: `none`, `rejected` or `all`.
    """
    rest = "rejects" if "rejects" not in labels else "rejected items"
    lanes = "".join(f"  {_quoted(label)}: {{labels: [{_quoted(label)}]}}\n" for label in labels)
    return f"""
bundle: {_quoted(bundle)}

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

# Photographs of sorted items, to look through and to train with. People may be in them: they are
# deleted after so many days, and without this section none is kept.
{_PHOTOGRAPHS[photographs]}"""


def _write_schema(file: Path) -> None:
    """Writes the JSON Schema of station files; one that is there already stays as it is.

    Raises:
        StorageError: it cannot be written.
    """
    from edge.config.schema import schema_text
    from edge.core.files import storage_errors, write_file

    text = schema_text()
    if not file.exists():
        write_file(file, text)
        return
    with storage_errors("read", file):
        old = file.read_text(encoding="utf-8", errors="replace") != text
    if old:
        _log.warning(
            f"{file} is there already and is of another version of pilah, so it was kept. "
            "`pilah-edge schema` prints the schema of this version"
        )


def _incomplete(file: Path, *, more: Sequence[str]) -> str:
    """The text of a station file that has no bundle and no lanes yet.

    Raises:
        ConfigError: it has mistakes.
        StorageError: it has sections that would be added.
    """
    from edge.config.reading import read_vision_config
    from edge.core.yaml_file import YamlFile

    read_vision_config(file)
    content = YamlFile(file).content
    if present := [key for key in (*_OF_THE_BUNDLE, *more) if key in content]:
        raise StorageError(
            f"{file} is there already, with {', '.join(present)} in it: choose another name or "
            "remove it"
        )
    text = file.read_text(encoding="utf-8-sig")
    return text if text.endswith("\n") else f"{text}\n"


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder)).as_posix()


def _quoted(text: str) -> str:
    """`text` as a value in YAML, quoted if YAML would read something else without quotes."""
    from edge.core.yaml_text import read_value

    is_plain = re.fullmatch(r"[A-Za-z0-9./][A-Za-z0-9./_-]*", text) and read_value(text) == text
    return text if is_plain else json.dumps(text, ensure_ascii=False)
