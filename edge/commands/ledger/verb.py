"""Export, check, back up, correct or ask the ledger of a station, which may be running meanwhile.

LEDGER is the SQLite file, or the station file that names it.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
from pathlib import Path

from edge.commands.ledger import audits, states
from edge.commands.ledger.named import add_ledger, check_names, named_by
from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK, LedgerDamagedError, UsageError
from edge.core.terminal.speech import write_out

_log = logging.getLogger(__name__)

_FORMATS = ("csv", "jsonl", "parquet", "epcis")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    doing = parser.add_subparsers(
        dest="doing", required=True, metavar="export|check|backup|correct|states|draw|audit"
    )
    export = doing.add_parser("export", help="write the items for other programs")
    add_ledger(export)
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
    add_ledger(check)
    check.add_argument(
        "--full", action="store_true", help="compare the indexes with the tables too"
    )
    check.add_argument("--json", action="store_true", help="one JSON object on stdout")
    backup = doing.add_parser("backup", help="copy it, as it is now, to one new file")
    add_ledger(backup)
    backup.add_argument("copy", type=Path, metavar="FILE", help="the copy, a new file")
    correct = doing.add_parser("correct", help="add a correction of one item")
    add_ledger(correct)
    correct.add_argument("item", metavar="ITEM", help="the item's id, as `export` shows it")
    correct.add_argument("--label", metavar="NEW", help="the right label")
    correct.add_argument("--lane", metavar="NEW", help="the lane that it lies in")
    correct.add_argument("--quantity", metavar="N", help="how many pieces it counts for")
    correct.add_argument("--by", required=True, metavar="WHO", help="the name of who corrects")
    correct.add_argument("--why", required=True, metavar="TEXT", help="the reason")
    for room in (states, audits):
        room.add_parsers(doing)


def run(arguments: argparse.Namespace) -> int:
    if arguments.doing == "export":
        return _export(arguments)
    if arguments.doing == "check":
        return _check(arguments)
    if arguments.doing == "backup":
        return _back_up(arguments)
    if arguments.doing == "states":
        return states.run(arguments)
    if arguments.doing == "draw":
        return audits.draw(arguments)
    if arguments.doing == "audit":
        return audits.run(arguments)
    return _correct(arguments)


def _export(arguments: argparse.Namespace) -> int:
    from edge.core.files import new_file
    from edge.ledger.export.formats import FORMATS
    from edge.ledger.export.reading import Selection, read_items, utc_bound
    from edge.ledger.sqlite_file import open_to_read

    begin = "" if arguments.begin is None else utc_bound(arguments.begin)
    end = "~" if arguments.end is None else utc_bound(arguments.end, end=True)
    named = named_by(arguments.ledger)
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

    path = named_by(arguments.ledger).path
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

    path = named_by(arguments.ledger).path
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
    named = named_by(arguments.ledger)
    keep = named.keep
    if named.lanes is None:
        keep = keep_as_found(named.path)
    else:
        check_names(changes, named.lanes)
    said = {"who": arguments.by, "why": arguments.why}
    for done in correct(named.path, arguments.item, changes, keep=keep, **said):
        write_out(f"{done.field}: {done.old} -> {done.new}  (correction {done.id})\n")
    return EXIT_OK
