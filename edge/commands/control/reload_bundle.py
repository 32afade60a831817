"""Have a running station load the bundle anew that its station file names.

`install` and `rollback` do it by themselves. This is for a station that could not be told then, for
one that names the same bundle as another station, and to try again what was refused. The bundle's
files, its signature, its labels and a golden picture are checked; a station that refuses the bundle
sorts on by the one before. What else was changed in the station file counts from the next start on.
Exits with 1 where the bundle is refused, and with 69 where the station does not run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge.commands.control import asking
from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK
from edge.core.terminal.speech import write_out

if TYPE_CHECKING:
    from edge.rollout.telling import ReloadedBundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument("--json", action="store_true", help="the bundle as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from edge.config.reading import read_part
    from edge.config.station import RecordsConfig

    _, config = read_part(arguments.station, RecordsConfig)
    found = reload(config.station, config.ledger.path, quiet=arguments.json)
    if arguments.json:
        print_json({"bundle": found.bundle, "bundle_digest": found.digest})
    return EXIT_OK


def reload(station: str, ledger: Path, *, quiet: bool = False) -> ReloadedBundle:
    """Has the running station with this name and ledger load its bundle anew, and shows that.

    Raises:
        ControlUnreachableError: it does not run, does not answer, or this user may not ask.
        ControlError: it is of another pilah, which does not know this command.
        ControlRefusedError: it refuses the bundle.
    """
    from edge.core.errors import ControlRefusedError
    from edge.rollout.telling import reload_bundle

    found = reload_bundle(station, ledger, asking.user_name())
    if found.refused:
        raise ControlRefusedError(
            f"{station} refuses the bundle, and sorts on by {found.bundle}: {found.refused}"
        )
    if not quiet:
        write_out(f"{station} sorts by {found.bundle} (digest {found.digest[:12]})\n")
    return found
