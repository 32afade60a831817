"""Export, check, back up or correct the ledger of a station, which may be running meanwhile.

LEDGER is the SQLite file, or the station file that names it.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK, LedgerDamagedError, UsageError
from edge.core.terminal.speech import write_out

if TYPE_CHECKING:
    from edge.outbox.retention import Keep

_log = logging.getLogger(__name__)

_FORMATS = ("csv", "jsonl", "parquet", "epcis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    doing = parser.add_subparsers(
        dest="doing", required=True, metavar="export|check|backup|correct"
    )
    export = doing.add_parser("export", help="write the items for other programs")
    _add_ledger(export)
    export.add_argument(
        "--from", dest="begin", metavar="TIME", help="items from this day or time on, UTC"
    )
    export.add_argument(
        "--to", dest="end", metavar="TIME", help="items until the end of this day, or before a time"
    )
    export.add_argument("--delivery", metavar="ID", help="items of this delivery alone")
    export.add_argument(
        "--format",
        choices=_FORMATS,
        default="csv",
        help="csv opens in a spreadsheet; jsonl has scores and all corrections; parquet needs "
        "the extra `parquet`; epcis is an EPCIS 2.0 document (default: csv)",
    )
    export.add_argument(
        "--out", type=Path, metavar="FILE", help="the file to write or replace (default: stdout)"
    )
    check = doing.add_parser("check", help="read all of it, and say whether it is damaged")
    _add_ledger(check)
    check.add_argument(
        "--full", action="store_true", help="compare the indexes with the tables too"
    )
    check.add_argument("--json", action="store_true", help="one JSON object on stdout")
    backup = doing.add_parser("backup", help="copy it, as it is now, to one new file")
    _add_ledger(backup)
    backup.add_argument("copy", type=Path, metavar="FILE", help="the copy, a new file")
    correct = doing.add_parser("correct", help="add a correction of one item")
    _add_ledger(correct)
    correct.add_argument("item", metavar="ITEM", help="the item's id, as `export` shows it")
    correct.add_argument("--label", metavar="NEW", help="the right label")
    correct.add_argument("--lane", metavar="NEW", help="the lane that it lies in")
    correct.add_argument("--quantity", metavar="N", help="how many pieces it counts for")
    correct.add_argument("--by", required=True, metavar="WHO", help="the name of who corrects")
    correct.add_argument("--why", required=True, metavar="TEXT", help="the reason")


def _add_ledger(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "ledger", type=Path, metavar="LEDGER", help="the ledger, or the station file (.yaml)"
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.doing == "export":
        return _export(arguments)
    if arguments.doing == "check":
        return _check(arguments)
    if arguments.doing == "backup":
        return _back_up(arguments)
    return _correct(arguments)


class _Named(NamedTuple):
    """What LEDGER names."""

    path: Path
    photographs: Path
    """The folder of photographs: of the station file, or beside the ledger."""
    lanes: Mapping[str, list[str]] | None = None
    """The labels of each lane; None: there is no station file."""
    keep: Keep | None = None
    """What its outbox keeps; None: nothing is written to the outbox, or that is not known."""


def _named(path: Path) -> _Named:
    from edge.config.photographs import photographs_folder

    if path.suffix.lower() not in (".yaml", ".yml"):
        return _Named(path, photographs_folder(None, path))
    from edge.config.reading import read_config

    config = read_config(path)
    return _Named(
        config.ledger.path,
        photographs_folder(config.photographs, config.ledger.path),
        {name: list(lane.labels) for name, lane in config.lanes.items()},
        config.keep,
    )


def _export(arguments: argparse.Namespace) -> int:
    from edge.core.files import new_file
    from edge.ledger.export.formats import FORMATS
    from edge.ledger.export.reading import Selection, read_items, utc_bound
    from edge.ledger.sqlite_file import open_to_read

    begin = "" if arguments.begin is None else utc_bound(arguments.begin)
    end = "~" if arguments.end is None else utc_bound(arguments.end, end=True)
    named = _named(arguments.ledger)
    number = itertools.count()  # which ends at the number of items
    selection = Selection(begin, end, arguments.delivery)
    found = read_items(named.path, selection, photographs=named.photographs)
    items = (item for item, _ in zip(found, number, strict=False))
    with open_to_read(named.path):
        pass  # what cannot be read is said before anything is written
    write = FORMATS[arguments.format]
    if arguments.out is None:
        if arguments.format == "parquet":
            raise UsageError("parquet is no text for a terminal: name a file with --out")
        write(items, sys.stdout.buffer)
    else:
        with new_file(arguments.out) as out:
            write(items, out)
    _log.info(
        f"{next(number):,} items exported" + (f" to {arguments.out}" if arguments.out else "")
    )
    return EXIT_OK


def _check(arguments: argparse.Namespace) -> int:
    from edge.ledger.recovering import set_aside_files
    from edge.ledger.upkeep.examination import examine

    path = _named(arguments.ledger).path
    aside = [str(file) for file in set_aside_files(path)]
    try:
        found = examine(path, full=arguments.full)
    except LedgerDamagedError as error:
        if arguments.json:
            print_json({"ledger": str(path), "whole": False, "said": str(error), "aside": aside})
        else:
            write_out(
                f"{path} is damaged ({error}). The station sets it aside at its next start and "
                "begins a new one: copy what `sqlite3 FILE .recover` finds in it\n"
            )
        return EXIT_NO
    if arguments.json:
        print_json(
            {
                "ledger": str(path), "whole": True, "schema": found.schema, "rows": found.rows,
                "first": found.first, "last": found.last, "bytes": found.size, "aside": aside,
            }
        )  # fmt: skip
        return EXIT_OK
    rows = ", ".join(f"{count:,} {table}" for table, count in found.rows.items())
    write_out(f"{path} is whole: {rows}; schema {found.schema}, {found.size / 1e6:,.1f} MB\n")
    if found.first is not None:
        write_out(f"items from {found.first} to {found.last}\n")
    for file in aside:
        write_out(f"set aside before, because it was damaged: {file}\n")
    return EXIT_OK


def _back_up(arguments: argparse.Namespace) -> int:
    from edge.ledger.upkeep.backup import back_up

    path = _named(arguments.ledger).path
    found = back_up(path, arguments.copy)
    write_out(f"{arguments.copy} has {found.rows['items']:,} items, and is whole\n")
    return EXIT_OK


def _correct(arguments: argparse.Namespace) -> int:
    from edge.events import CORRECTABLE
    from edge.ledger.upkeep.correcting import correct, keep_as_found

    changes = {
        field: value for field in CORRECTABLE if (value := getattr(arguments, field)) is not None
    }
    if not changes:
        raise UsageError("ledger correct: what is corrected? --label, --lane or --quantity")
    named = _named(arguments.ledger)
    keep = named.keep
    if named.lanes is None:
        keep = keep_as_found(named.path)
    else:
        _check_names(changes, named.lanes)
    said = {"who": arguments.by, "why": arguments.why}
    for done in correct(named.path, arguments.item, changes, keep=keep, **said):
        write_out(f"{done.field}: {done.old} -> {done.new}  (correction {done.id})\n")
    return EXIT_OK


def _check_names(changes: Mapping[str, str], lanes: Mapping[str, list[str]]) -> None:
    """Passes where the station has the lane and the label that an item is to get."""
    labels = [label for names in lanes.values() for label in names]
    for field, known in (("lane", list(lanes)), ("label", labels)):
        if (value := changes.get(field)) is not None and value not in known:
            raise UsageError(
                f"the station has no {field} {value!r}: it has {', '.join(known)}. To write "
                "another one, name the ledger in place of the station file"
            )
