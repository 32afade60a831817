"""How long each stage of a training took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stages:
    """The seconds that each stage took, and the time since the training began."""

    seconds: dict[str, float] = field(default_factory=dict)
    before: float = 0.0
    """Seconds that the training took before it was killed and resumed."""
    free: float = 0.0
    """Seconds of all these that the budget of the training does not count."""
    _start: float = field(default_factory=time.monotonic)
    _since: float = field(default_factory=time.monotonic)

    @property
    def minutes(self) -> float:
        """Minutes since the training began, with those before it was resumed."""
        return round((self.before + time.monotonic() - self._start) / 60, 2)

    @property
    def counted(self) -> float:
        """Minutes so far that the budget of the training counts."""
        return round(self.minutes - self.free / 60, 2)

    def ended(self, name: str) -> None:
        """Notes that the stage `name` took the time since the one before it ended."""
        now = time.monotonic()
        self.seconds[name] = round(now - self._since, 1)
        self._since = now
