"""The counts of one run of a station."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from edge.flow import Missed, PictureFaultKind
from edge.lanes.lanes import Lanes
from edge.ledger.recorder import Recorder
from edge.sorting.routing import Routing
from edge.sorting.sorter import Sorter
from edge.vision.latest_frame import LatestFrame

_BAD = (
    PictureFaultKind.FROZEN,
    PictureFaultKind.BLANK,
    PictureFaultKind.TORN,
    PictureFaultKind.RESIZED,
    PictureFaultKind.COVERED,
    PictureFaultKind.MOVED,
    PictureFaultKind.LATE,
    PictureFaultKind.REPEATED,
)
_LATENCIES = 10_000
"""The number of the latest items from whose latencies the percentiles are computed."""


@dataclass(slots=True)
class Tally:
    """Counts over one run, written by the sorting thread only until that has ended."""

    items: int = 0
    lanes: Counter[str] = field(default_factory=Counter)
    """Items by lane."""
    rejects: Counter[str] = field(default_factory=Counter)
    """Rejected items by reason."""
    empty: int = 0
    """Verdicts `empty`, which say that there was no item."""
    missed: Counter[Missed] = field(default_factory=Counter)
    """Items for which the actuator of their lane did not move, by reason."""
    single_frame: int = 0
    """Objects that the trigger saw in a single frame only, which are not items."""
    dropped: int = 0
    """Frames that a newer one replaced before they were taken."""
    faults: Counter[PictureFaultKind] = field(default_factory=Counter)
    """Frames of a live camera that could not be decoded or have a fault, by the kind of fault."""
    lost: int = 0
    """Items whose rows are not in the ledger."""
    spilled: int = 0
    """Items whose rows wait in the spill for the next start."""
    lost_actuations: int = 0
    """Rows of actuations that are not in the ledger."""
    lost_others: int = 0
    """Rows of other events of the station that are not in the ledger."""
    latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))
    """The milliseconds from capture to verdict of the latest items."""

    def count(self, routing: Routing, latency_ms: float) -> None:
        """Counts one item."""
        self.items += 1
        self.lanes[routing.lane] += 1
        if routing.verdict.reject is not None:
            self.rejects[routing.verdict.reject.value] += 1
        if routing.missed is not None:
            self.missed[routing.missed] += 1
        self.latencies_ms.append(latency_ms)

    def complete(
        self, *, latest: LatestFrame, sorter: Sorter, lanes: Lanes, recorder: Recorder
    ) -> None:
        """Adds the counts of the station's other parts; to be called once, after all threads."""
        self.dropped, self.faults = latest.dropped, latest.faults
        self.single_frame = sorter.single_frame
        self.missed += lanes.missed
        self.lost = recorder.lost + recorder.waiting
        self.spilled = recorder.spilled
        self.lost_actuations = recorder.lost_actuations + recorder.waiting_actuations
        self.lost_others = recorder.lost_others + recorder.waiting_others

    def lines(self) -> list[str]:
        """A summary for people, a line for each subject."""
        lines = [
            f"items      {self.items}",
            f"lanes      {counts_text(self.lanes)}",
            f"rejects    {counts_text(self.rejects)}",
            f"frames     {self.dropped} dropped",
        ]
        if self.latencies_ms:
            p50, p95 = np.percentile(self.latencies_ms, (50, 95))
            lines.append(f"latency    p50 {p50:.1f} ms, p95 {p95:.1f} ms, from capture to verdict")
        if damaged := self.faults[PictureFaultKind.DAMAGED]:
            lines.append(f"damaged    {damaged} frames of the camera were left out")
        bad = Counter({kind.value: self.faults[kind] for kind in _BAD})
        if +bad:
            lines.append(
                f"pictures   {counts_text(+bad)}: they show nothing new, and were left out"
            )
        if self.empty:
            lines.append(f"empty      {self.empty}: the verdict was that there was no item")
        if self.single_frame:
            lines.append(
                f"one frame  {self.single_frame} objects were seen in a single frame, and are not "
                "counted: flashes, damaged frames, or items too fast for the camera"
            )
        if self.missed:
            reasons = (f"{self.missed[why]} {why}: {why.words}" for why in sorted(self.missed))
            lines.append(
                f"missed     {self.missed.total()} items for which no actuator moved: "
                + "; ".join(reasons)
            )
        if self.spilled:
            lines.append(f"waiting    {self.spilled} rows: the next start adds them to the ledger")
        if self.lost:
            lines.append(f"LOST       {self.lost} rows are not in the ledger")
        if self.lost_actuations:
            lines.append(
                f"LOST       {self.lost_actuations} rows of actuations are not in the ledger"
            )
        if self.lost_others:
            lines.append(
                f"LOST       {self.lost_others} rows of the station's events are not in the ledger"
            )
        return lines


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts in the order of their names: "late 2, unknown 1"; "none" if there are none."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
