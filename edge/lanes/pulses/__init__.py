"""A servo's pulses: one every 20 ms, whose length sets the angle; a module for each maker."""

from __future__ import annotations

from typing import Protocol

PERIOD_SECONDS = 0.02


class Pulses(Protocol):
    """Pulses on one wire; there are none at first."""

    def set(self, seconds: float) -> None:
        """Sets the length of all further pulses; 0 ends them without cutting the last one short."""
        ...

    def close(self) -> None:
        """Ends the pulses after a complete one and frees the wire; may be called twice."""
        ...
