"""What the word LEDGER of `pilah-edge ledger` names."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from edge.core.errors import UsageError

if TYPE_CHECKING:
    from edge.outbox.retention import Keep


class NamedLedger(NamedTuple):
    """What LEDGER names."""

    path: Path
    photographs: Path
    """The folder of photographs: of the station file, or beside the ledger."""
    lanes: Mapping[str, list[str]] | None = None
    """The labels of each lane; None: there is no station file."""
    keep: Keep | None = None
    """What its outbox keeps; None: nothing is written to the outbox, or that is not known."""
    station: str | None = None
    """The station's name; None: there is no station file."""
    ideal_rate: float | None = None
    """Items a second at the best; None: not known."""


def named_by(path: Path) -> NamedLedger:
    """The ledger that a path names: itself, or that of a station file.

    Raises:
        ConfigError: the station file has mistakes.
    """
    from edge.config.photographs import photographs_folder

    if path.suffix.lower() not in (".yaml", ".yml"):
        return NamedLedger(path, photographs_folder(None, path))
    from edge.config.reading import read_config

    config = read_config(path)
    per_minute = config.ideal_items_per_minute
    return NamedLedger(
        config.ledger.path,
        photographs_folder(config.photographs, config.ledger.path),
        {name: list(lane.labels) for name, lane in config.lanes.items()},
        config.keep,
        config.station,
        None if per_minute is None else per_minute / 60,
    )


def add_ledger(parser: argparse.ArgumentParser) -> None:
    """The word LEDGER of a command line."""
    parser.add_argument(
        "ledger", type=Path, metavar="LEDGER", help="the ledger, or the station file (.yaml)"
    )


def check_names(changes: Mapping[str, str], lanes: Mapping[str, list[str]]) -> None:
    """Passes where the station has the lane and the label that an item is to get."""
    labels = [label for names in lanes.values() for label in names]
    for field, known in (("lane", list(lanes)), ("label", labels)):
        if (value := changes.get(field)) is not None and value not in known:
            raise UsageError(
                f"the station has no {field} {value!r}: it has {', '.join(known)}. To write "
                "another one, name the ledger in place of the station file"
            )
