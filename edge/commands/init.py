"""Write a first station file: its camera before there is a bundle, then a lane for each label.

Without BUNDLE, the file has what `roi` and `capture` need. With BUNDLE, the file is ready to run; a
file that was written without it is completed, and its own lines stay as they are. Beside a new
file, `station.schema.json` is written, with which editors complete and check the station file.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

from edge.config.first_file.machines import MACHINE_KINDS, NOTHING, sorting_text
from edge.config.first_file.vision import CAMERAS, SCHEMA, still_line, vision_text
from edge.core.errors import EXIT_OK, StorageError, UsageError

_log = logging.getLogger(__name__)

_OF_THE_BUNDLE = ("bundle", "lanes", "default_lane", "ledger")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "bundle", type=Path, nargs="?", metavar="BUNDLE", help="bundle folder or zip file"
    )
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="file to write")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--camera", choices=list(CAMERAS), help="the kind of camera")
    parser.add_argument(
        "--kind",
        choices=list(MACHINE_KINDS),
        help="what moves the items: "
        + "; ".join(f"{name}: {machine.said}" for name, machine in MACHINE_KINDS.items())
        + f" ({NOTHING.name})",
    )
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
    kept, machine = arguments.keep_photographs, MACHINE_KINDS[arguments.kind or NOTHING.name]
    if arguments.photos is not None and arguments.kind not in (None, NOTHING.name):
        raise UsageError(
            f"--kind {machine.name} needs --camera: photographs from a folder do not pass a camera"
        )
    if arguments.photos is not None and bundle is not None and bundle.manifest.input.crop == "item":
        simulate = command("pilah-edge", "simulate", file, "--items", arguments.photos)
        raise UsageError(
            f"--photos: {bundle.title} was trained on items cut out of the picture (crop: item), "
            "and a photograph from a folder does not tell where its item is. Give --camera, and "
            f"let photographs pass it with `{simulate}`"
        )
    if bundle is None and kept != "none":
        raise UsageError("--keep-photographs needs BUNDLE: before that, nothing is sorted")
    has_source = arguments.camera is not None or arguments.photos is not None
    sections = ""
    if bundle is not None:  # before anything is written: the machine may not have so many lanes
        # `empty` stands for a picture without an item, which needs no lane.
        labels = [label for label in bundle.labels if label != EMPTY]
        path = _relative(arguments.bundle, file.absolute().parent)
        sections = sorting_text(labels=labels, bundle=path, machine=machine, photographs=kept)
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
            f"{'|'.join(CAMERAS)}, or --photos FOLDER to try it out"
        )
    else:
        folder = file.absolute().parent
        with storage_errors("create", folder):
            folder.mkdir(parents=True, exist_ok=True)
        _write_schema(file.with_name(SCHEMA))
        photos = None if arguments.photos is None else _relative(arguments.photos, folder)
        name = name_after(file)
        text = vision_text(
            name, camera=arguments.camera, photos=photos, still_seconds=machine.still_seconds
        )
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
    text += sections
    write_file(file, text)
    if machine.still_seconds is not None and "still_seconds:" not in text:
        _log.warning(
            f"{file}: items of a {machine.name} lie still before they are sorted: add under "
            f"`trigger` the line `{still_line(machine.still_seconds).strip()}`"
        )
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
