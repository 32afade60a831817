"""What a station counted while it ran."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from edge.decision import Sending

_LATENCIES = 10_000
"""Items whose latency is remembered: the percentiles are those of the latest."""


@dataclass(slots=True)
class Tally:
    """Counts over one run, written by the sorting thread only."""

    items: int = 0
    lanes: Counter[str] = field(default_factory=Counter)
    """Items by lane."""
    rejects: Counter[str] = field(default_factory=Counter)
    """Rejected items by reason."""
    empty: int = 0
    """Verdicts that there was no item."""
    missed: int = 0
    """Actuations whose moment had passed when the verdict was there."""
    dropped: int = 0
    """Frames that a newer one replaced before they were looked at."""
    lost: int = 0
    """Rows that are not in the ledger."""
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))
    """From capture to verdict."""

    def count(self, sending: Sending, latency_ms: float) -> None:
        """Counts one item."""
        self.items += 1
        self.lanes[sending.lane] += 1
        if sending.verdict.reject is not None:
            self.rejects[sending.verdict.reject.value] += 1
        self.missed += sending.missed
        self.latencies_ms.append(latency_ms)

    def lines(self) -> list[str]:
        """A summary for people, a line for each subject."""
        lines = [
            f"items      {self.items}",
            f"lanes      {_counts(self.lanes)}",
            f"rejects    {_counts(self.rejects)}",
            f"frames     {self.dropped} dropped",
        ]
        if self.latencies_ms:
            p50, p95 = np.percentile(self.latencies_ms, (50, 95))
            lines.append(f"latency    p50 {p50:.1f} ms, p95 {p95:.1f} ms, from capture to verdict")
        if self.empty:
            lines.append(f"empty      {self.empty} times there was no item")
        if self.missed:
            lines.append(f"missed     {self.missed} actuations: their moment had passed")
        if self.lost:
            lines.append(f"LOST       {self.lost} rows are not in the ledger")
        return lines


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
