"""What opens the parts of a station that a test or a simulation replaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edge.config.reading import StationPlan
from edge.ledger.opening import OpenLedger, open_ledger
from edge.pins.pins import Pins, open_pins
from edge.sorting.model import ActiveModel, open_model


class Openers(NamedTuple):
    """What opens a station's pins, its ledger and its model."""

    pins: Callable[[], Pins] = open_pins
    ledger: OpenLedger = open_ledger
    model: Callable[[StationPlan], ActiveModel] = open_model


OPENERS = Openers()
"""Those of a real station."""
