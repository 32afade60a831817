"""`delivery report`: write the difference report, as a page for print or as CSV."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path

import cv2

from edge.commands.delivery.at_the_desk import chosen, desk
from edge.config.photographs import photographs_folder
from edge.config.reading import read_receiving_config
from edge.core.errors import EXIT_OK, UnreadableImageError, UsageError
from edge.core.files import write_file
from edge.core.images.contact_sheet import thumbnail
from edge.core.images.image_file import read_image
from edge.core.terminal.speech import write_out
from edge.receiving.reports.difference_csv import difference_csv
from edge.receiving.reports.difference_page import Photograph, difference_page

_QUALITY = 82


def run(arguments: Namespace) -> int:
    with desk(arguments) as work:
        state = chosen(work, arguments.delivery)
        station = work.stamps.station
    out = arguments.out or Path(f"{re.sub(r'[^A-Za-z0-9._-]', '_', state.delivery)}.html")
    if out.suffix.lower() not in (".html", ".csv"):
        raise UsageError(f"--out must end in .html or .csv. Received: {out}")
    if out.suffix.lower() == ".csv":
        content = difference_csv(state)
    else:
        config = read_receiving_config(arguments.station)
        folder = photographs_folder(config.photographs, config.ledger.path)
        content = difference_page(state, station=station, photograph=_small_from(folder))
    write_file(out, content)
    write_out(f"{out}\n")
    return EXIT_OK


def _small_from(folder: Path) -> Photograph:
    """A function that makes a small JPEG of a photograph, whose path is relative to `folder`."""

    def small(path: str) -> bytes | None:
        try:
            image = read_image(folder / path)
        except (OSError, UnreadableImageError):
            return None
        done, content = cv2.imencode(".jpg", thumbnail(image), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))
        return content.tobytes() if done else None

    return small
