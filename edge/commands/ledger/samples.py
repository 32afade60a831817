"""Copy the photographs of items that a person looked at into a folder to train with.

The folder has a folder for each label, as `pilah-edge capture` makes it. The photographs are those
that the section `photographs` of the station file had kept; the labels are what people said, by a
correction, an audit or a review. To do it again adds what is new, and moves what was corrected
since.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.errors import EXIT_DATA, EXIT_NO, EXIT_OK
from edge.core.terminal.speech import write_out
from edge.core.terminal.wording import number_of

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    doing = parser.add_subparsers(dest="doing", required=True, metavar="export")
    export = doing.add_parser("export", help="copy labelled photographs into a folder")
    export.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    export.add_argument("out", type=Path, metavar="FOLDER", help="the folder to fill")
    export.add_argument(
        "--from", dest="begin", metavar="TIME", help="items from this day or time on, UTC"
    )
    export.add_argument(
        "--to", dest="end", metavar="TIME", help="items until the end of this day, or before a time"
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.config.photographs import photographs_folder
    from edge.config.reading import read_station
    from edge.core.dataset.photo_folder import Geometry, PhotoFolder
    from edge.ledger.export.reading import Selection, read_items, utc_bound
    from edge.ledger.sqlite_file import open_to_read
    from edge.ledger.upkeep.auditing import newest_audits
    from edge.samples.export import export_samples

    begin = "" if arguments.begin is None else utc_bound(arguments.begin)
    end = "~" if arguments.end is None else utc_bound(arguments.end, end=True)
    plan = read_station(arguments.station)
    config = plan.config
    with open_to_read(config.ledger.path):
        pass  # what cannot be read is said before anything is written
    geometry = Geometry.of(plan.bundle.manifest.input)
    with PhotoFolder(arguments.out, geometry=geometry, station=config.station) as folder:
        found = export_samples(
            read_items(config.ledger.path, Selection(begin, end)),
            newest_audits(config.ledger.path),
            photographs_folder(config.photographs, config.ledger.path),
            folder,
        )
        total = folder.counts.total()
    for refused in found.refused:
        _log.error(refused)
    added = ", ".join(f"{count:,} {label}" for label, count in sorted(found.added.items()))
    _log.info(f"added      {added or 'none'}")
    if found.moved:
        _log.info(f"moved      {found.moved:,}, whose label was corrected since")
    if found.there:
        _log.info(f"there      {found.there:,} already")
    if found.without:
        _log.info(
            f"without    {number_of(found.without, 'labelled items')}: no photograph of them was "
            "kept (see `photographs` in the station file)"
        )
    if found.gone:
        _log.info(
            f"gone       {number_of(found.gone, 'photographs')}, deleted as too old or too many: "
            "export more often, or give `photographs` more days or megabytes"
        )
    write_out(f"{arguments.out} has {number_of(total, 'pictures')}\n")
    if found.refused:
        return EXIT_DATA
    if not total:
        _log.info("next: review items on the pages (pilah-edge web), or use `ledger correct`")
        return EXIT_NO
    _log.info(
        f"next: pilah-trainer train RECIPE --data PHOTOS --add {arguments.out} --from RUN --out NEW"
    )
    return EXIT_OK
