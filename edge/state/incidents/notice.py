"""What a rule notices."""

from __future__ import annotations

from typing import NamedTuple


class Notice(NamedTuple):
    """An incident begins, or is over."""

    name: str
    """A name of `INCIDENTS`."""
    begins: bool
    """True: it begins; False: it is over."""
    at: float
    """When, in seconds on the station's monotonic clock."""
    scope: str = ""
    """Which part has it; empty for the whole station."""
    cause: str = ""
    """What is known, as a sentence; empty: what its kind says."""
    stops: bool = True
    """Whether the station stands because of it, where its kind says so."""
    logged: bool = False
    """Whether the log has it already, in the words of who found it."""
