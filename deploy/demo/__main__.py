"""`make demo`: from pictures to a sorting belt, with every step that a user would take.

    python -m deploy.demo [--photos FOLDER] [--out demo]

Exits 0 when every item got exactly one verdict and it sorted well, 1 when not.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from edge.core.errors import EXIT_INTERRUPTED, EXIT_NO, EXIT_OK, PilahError
from edge.core.terminal.log_lines import LogLines

_log = logging.getLogger("deploy.demo")


def main() -> int:
    """Runs the demo and returns its exit code."""
    arguments = _parser().parse_args()
    with LogLines():
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    try:
        if arguments.photos is None:
            from deploy.demo.drawn import ITEMS, drawn_demo

            well = drawn_demo(arguments.out, seed=arguments.seed, items=arguments.items or ITEMS)
        else:
            from deploy.demo.photographs import photographs_demo

            well = photographs_demo(
                arguments.photos,
                arguments.out,
                seed=arguments.seed,
                groups=arguments.groups,
                minutes=arguments.minutes,
                items=arguments.items,
            )
    except PilahError as error:
        _log.error(f"demo: error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _log.error("demo: stopped by Ctrl-C")
        return EXIT_INTERRUPTED
    return EXIT_OK if well else EXIT_NO


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make demo",
        description="Trains, converts, and sorts what passes on a simulated belt.",
        allow_abbrev=False,
    )
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder to fill (demo)")
    parser.add_argument("--seed", type=int, default=0, help="of all chance (0)")
    parser.add_argument("--items", type=int, help="to pass on the belt (160; of photographs: all)")
    parser.add_argument(
        "--photos", type=Path, help="your own photographs, a folder per class (drawn items)"
    )
    parser.add_argument("--groups", help="of the photographs, as in `pilah-trainer train`")
    parser.add_argument("--minutes", type=float, help="for the training on photographs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
