"""The receivers by the names of their sections. Only the module of one that is asked for is
imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.config.publish.section import PublishSettings
from edge.core.yaml_file import Section
from edge.publish.receiver import Receiver


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The facts about a station that a receiver may need, apart from its own section."""

    station: str
    """The station's name."""
    ledger: Path
    """The station's ledger, to be read only."""
    deliveries: Path
    """Its file of deliveries, to be read only."""


MODULES: Mapping[str, str] = {
    "mqtt": "edge.publish.mqtt.receiver",
    "postgres": "edge.publish.postgres.receiver",
    "epcis": "edge.publish.epcis",
    "inventree": "edge.publish.inventree",
}
"""The module of each receiver. It has `open_receiver(settings, surroundings) -> Receiver`, which
does not wait for the other system, and raises ReceiverSetupError where a file that it needs cannot
be read."""


def open_receiver(name: str, settings: PublishSettings, surroundings: Surroundings) -> Receiver:
    """The receiver of the section `name`.

    Raises:
        ReceiverSetupError: a file that it needs cannot be read.
    """
    section: Section | None = getattr(settings, name)
    module: Any = importlib.import_module(MODULES[name])
    receiver: Receiver = module.open_receiver(section, surroundings)
    return receiver
