"""Count the goods of a delivery: announce it, open it, count each piece, close it, report.

One scan, one piece. The code of a pack counts the pieces in the pack. Nothing is counted before it
is scanned or seen.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from edge.core.command_line import count

_STEPS = {
    "import": "announce deliveries, from a CSV file or typed in",
    "open": "begin to count a delivery, or go on with it",
    "status": "show what is expected, what is counted, and the difference",
    "scan": "count scanned codes, given as arguments or one per line on stdin",
    "correct": "correct how many pieces of a line were counted, or are damaged",
    "undo": "undo the last event of a delivery, or another one",
    "close": "close a delivery that is as announced; with --as-counted, any other too",
    "reopen": "count a closed delivery again, as a new receipt",
    "report": "write the difference report, as a page for print or as CSV",
}
"""The summary of each step, as its help shows it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    for step, summary in _STEPS.items():
        below = steps.add_parser(
            step, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        below.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
        if step in ("import", "open", "scan", "correct", "undo", "close", "reopen"):
            below.add_argument("--by", metavar="NAME", help="who does it (default: the login name)")
        if step in ("status", "scan", "correct", "undo", "close", "report"):
            below.add_argument(
                "--delivery", metavar="NAME", help="the delivery (default: the one being counted)"
            )
        _ADD[step](below)
        if step != "report":
            below.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    module = importlib.import_module(f"edge.commands.delivery.{_MODULES[arguments.step]}")
    return int(getattr(module, _FUNCTIONS.get(arguments.step, "run"))(arguments))


_MODULES = {
    "import": "announce", "open": "stages", "close": "stages", "reopen": "stages",
    "status": "status", "scan": "scan", "correct": "change", "undo": "change", "report": "report",
}  # fmt: skip
_FUNCTIONS = {
    "open": "run_open", "close": "run_close", "reopen": "run_reopen", "correct": "run_correct",
    "undo": "run_undo",
}  # fmt: skip


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("goods", type=Path, nargs="?", metavar="GOODS.csv", help="expected goods")
    parser.add_argument(
        "--delivery",
        metavar="NAME",
        help="the name of the delivery, if the file has no such column",
    )
    parser.add_argument(
        "--line",
        action="append",
        default=[],
        metavar="SKU[:LABEL]=PIECES",
        help="an article, typed in instead of a file; may be given several times",
    )
    parser.add_argument(
        "--blind",
        action="store_true",
        help="show the expected figures to nobody until the count is closed",
    )


def _open(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="DELIVERY", help="its name")


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--events", action="store_true", help="also list the events, with their ids"
    )


def _scan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "codes",
        nargs="*",
        metavar="CODE",
        help="GTIN, SKU, serial or SSCC (default: read codes from stdin)",
    )
    parser.add_argument(
        "--pieces", type=count, default=1, metavar="N", help="how many pieces or packs (default: 1)"
    )
    parser.add_argument(
        "--line", type=count, metavar="N", help="the number of the line, if several have the code"
    )
    parser.add_argument(
        "--seen", metavar="LABEL", help="the label that the picture of the piece shows"
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="count it although the picture shows something else, because you have looked at it",
    )
    parser.add_argument("--damaged", action="store_true", help="the piece is damaged")
    parser.add_argument("--why", default="", metavar="TEXT", help="what is damaged")
    parser.add_argument(
        "--photograph", type=Path, metavar="FILE", help="a photograph of the piece, for the report"
    )


def _correct(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("line", metavar="LINE", help="the number of the line, or its SKU")
    figure = parser.add_mutually_exclusive_group(required=True)
    figure.add_argument("--counted", type=figure_of, metavar="N", help="how many pieces are there")
    figure.add_argument(
        "--damaged", type=figure_of, metavar="N", help="how many of them are damaged"
    )
    parser.add_argument("--why", required=True, metavar="TEXT", help="why the figure was wrong")


def _undo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--event",
        metavar="ID",
        help="the id of the event, or its last characters (default: the last event)",
    )


def _close(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-counted",
        action="store_true",
        help="close it although the count differs: the count is right",
    )
    parser.add_argument(
        "--no-back-order", action="store_true", help="do not expect the missing pieces any more"
    )


def _reopen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="DELIVERY", help="its name")
    parser.add_argument(
        "--why", required=True, metavar="TEXT", help="why the delivery is counted again"
    )


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the file to write, FILE.html or FILE.csv (default: DELIVERY.html)",
    )


def figure_of(text: str) -> int:
    """The whole number that `text` is, 0 or more; for argparse.

    Raises:
        ValueError: it is not a whole number; argparse reports that.
        argparse.ArgumentTypeError: it is less than 0.
    """
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more. Received: {text}")
    return number


_ADD = {
    "import": _import, "open": _open, "status": _status, "scan": _scan, "correct": _correct,
    "undo": _undo, "close": _close, "reopen": _reopen, "report": _report,
}  # fmt: skip
