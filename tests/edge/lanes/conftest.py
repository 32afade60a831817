from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.pins.pins import Pins, open_pins


@pytest.fixture
def pins(tmp_path: Path) -> Iterator[Pins]:
    """Mock pins, as on a machine without a header."""
    with open_pins(tmp_path / "no board") as pins:
        yield pins
