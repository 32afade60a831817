"""Show each code that a station's hand scanner sends, or print the udev rule that it needs.

No other program gets the scanner's keys meanwhile. It ends at Ctrl-C, or at the end of a file of
events.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK, UsageError

if TYPE_CHECKING:
    from edge.config.scanner import ScannerSettings
    from edge.receiving.scanner.decoder import ScannedText

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        choices=["show", "rule"],
        help="show: a line for each code. rule: the udev rule that lets the service read this "
        "scanner, and no other keyboard; nothing and exit code 1 where there is none to give it",
    )
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument("--json", action="store_true", help="show: one JSON object a code")


def run(arguments: argparse.Namespace) -> int:
    from edge.config.reading import read_scanner_config

    settings = read_scanner_config(arguments.station).scanner
    if arguments.action == "rule":
        return _rule(settings)
    if settings is None:
        raise UsageError(
            f"{arguments.station}: it has no section `scanner`: add "
            "`scanner: {path: /dev/input/by-id/...-event-kbd}`, or see deploy/station-file.md"
        )
    return _show(settings, as_json=arguments.json)


def _rule(settings: ScannerSettings | None) -> int:
    from edge.receiving.scanner.access import udev_rule

    rule = None if settings is None else udev_rule(settings)
    if rule is None:
        return EXIT_NO
    print(rule, end="")
    return EXIT_OK


def _show(settings: ScannerSettings, *, as_json: bool) -> int:
    from edge.core.terminal.speech import without_waiting, write_out
    from edge.receiving.scanner.scanner_reader import ScannerReader
    from edge.runtime.clock import SYSTEM_CLOCK
    from edge.runtime.service import stop_signals
    from edge.runtime.worker import Worker

    def show(scan: ScannedText) -> None:
        if as_json:
            print_json({"text": scan.text})
        else:
            write_out(scan.text.replace("\x1d", "<GS>") + "\n")

    with without_waiting(), stop_signals() as endings:
        reader = ScannerReader(settings, report=show, clock=SYSTEM_CLOCK)
        worker = Worker("scanner", reader.run, endings)
        worker.start()
        endings.get()  # a signal, or the thread's own end
        reader.stop()
        worker.join(_PATIENCE_SECONDS)
        if worker.failure is not None:
            raise worker.failure
    return EXIT_OK
