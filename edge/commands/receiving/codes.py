"""Read the codes (EAN, Code 128, QR, Data Matrix) in pictures, as a station with `codes` would.

One line per picture: the copy of the picture in which the code was read, the milliseconds, and the
code.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import print_json
from edge.core.errors import EXIT_DATA, EXIT_OK, PictureSetError, UnreadableImageError, UsageError

if TYPE_CHECKING:
    from edge.receiving.codes.ladder import PictureCode

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "pictures",
        type=Path,
        nargs="+",
        metavar="PICTURE",
        help="picture files, or folders of them",
    )
    parser.add_argument(
        "--formats",
        metavar="LIST",
        help="which codes are looked for, with commas between (default: all that are known)",
    )
    parser.add_argument(
        "--plain", action="store_true", help="no turned or enlarged copies: as `ladder: false`"
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from edge.core.images.image_file import read_image
    from edge.receiving.codes.packages import require_packages

    require_packages()
    from edge.receiving.codes import ladder

    rungs = (ladder.PLAIN,) if arguments.plain else ladder.LADDER
    reader = ladder.CodeLadder(_formats(arguments.formats), rungs=rungs)
    unreadable = 0
    for path in _files(arguments.pictures):
        try:
            image = read_image(path)
        except UnreadableImageError as error:
            unreadable += 1
            _log.warning(f"skipped: {error}")
            continue
        reading = reader.read(ladder.part_with_item(image, None))
        milliseconds = round(sum(reading.milliseconds), 1)
        if arguments.json:
            found = [
                {"text": code.text, "format": code.format, **asdict(code.meaning)}
                for code in reading.codes
            ]
            print_json(
                {"path": str(path), "rung": reading.rung, "milliseconds": milliseconds,
                 "codes": found}
            )  # fmt: skip
            continue
        said = "; ".join(_words(code) for code in reading.codes) or "no code"
        how = f"  {reading.rung}" if reading.rung else ""
        print(f"{path}: {said}{how}  {milliseconds:g} ms")
    return EXIT_DATA if unreadable else EXIT_OK


def _words(code: PictureCode) -> str:
    meaning = code.meaning
    parts = {
        "GTIN": meaning.gtin,
        "SSCC": meaning.sscc,
        "lot": meaning.lot,
        "expiry": meaning.expiry,
        "serial": meaning.serial,
    }
    told = ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)
    text = code.text.replace("\x1d", "<GS>")
    return f"{code.format} {text}" + (f" ({told})" if told else "")


def _formats(text: str | None) -> list[str]:
    from typing import get_args

    from edge.config.codes import CodeFormat
    from edge.core.suggestions import did_you_mean

    known = list(get_args(CodeFormat))
    if text is None:
        return known
    wanted = [name.strip() for name in text.split(",")]
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"--formats: there is no format {name!r}{did_you_mean(name, known)}. Known: "
                f"{', '.join(known)}"
            )
    return wanted


def _files(paths: list[Path]) -> list[Path]:
    from edge.core.images.image_file import SUFFIXES

    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        if not inside:
            raise PictureSetError(f"{path}: there are no pictures in this folder")
        found += inside
    return found
