"""Mismatches that wait for somebody: goods whose code says another thing than their picture."""

from __future__ import annotations

import logging
from pathlib import Path

from edge.core.errors import DeliveryFileError
from edge.receiving.state import COUNTABLE
from edge.receiving.store import Deliveries

_log = logging.getLogger(__name__)


def open_mismatches(path: Path) -> tuple[str, ...]:
    """The ids of the mismatches of the delivery that is being counted, the oldest first; empty
    where none is, or where the file cannot be read, which the page Delivery says.

    Args:
        path: the file of deliveries, which need not be there.
    """
    if not path.exists():
        return ()
    try:
        with Deliveries(path, read_only=True) as deliveries:
            state = deliveries.current()
    except DeliveryFileError:
        _log.debug("the file of deliveries cannot be read", exc_info=True)
        return ()
    if state is None or state.phase not in COUNTABLE:
        return ()
    return tuple(one.id for one in state.disagreements)
