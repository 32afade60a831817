"""`make demo-receiving`: a delivery of boxes, counted by looking and by their codes.

    python -m deploy.demo_receiving [--out demo-receiving]

Boxes are drawn, with a printed code on each; some are missing, some are too many, one has a code
that was not announced, and two have the wrong thing in them. Where mosquitto is installed, a real
one hears of all of it. Exits 0 when the report of the delivery shows exactly those, and the broker
has heard of each, 1 when not.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from deploy.demo_receiving.receiving import receiving_demo
from edge.core.errors import EXIT_INTERRUPTED, EXIT_NO, EXIT_OK, PilahError
from edge.core.terminal.log_lines import LogLines

_log = logging.getLogger("deploy.demo_receiving")


def main() -> int:
    """Runs the demo and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="make demo-receiving",
        description="Trains, converts, and receives a delivery of drawn boxes.",
        allow_abbrev=False,
    )
    folder = Path("demo-receiving")
    parser.add_argument("--out", type=Path, default=folder, help=f"folder to fill ({folder})")
    parser.add_argument("--seed", type=int, default=0, help="of all chance (0)")
    arguments = parser.parse_args()
    with LogLines():
        try:
            well = receiving_demo(arguments.out, seed=arguments.seed)
        except PilahError as error:
            _log.error(f"demo: error: {error}")
            return error.exit_code
        except KeyboardInterrupt:
            _log.error("demo: stopped by Ctrl-C")
            return EXIT_INTERRUPTED
    return EXIT_OK if well else EXIT_NO


if __name__ == "__main__":
    sys.exit(main())
