"""What the demo leaves behind to be read: `summary.json`, the contact sheet, a short table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import add
from pathlib import Path

from deploy.demo.passage import Verdicts, match_rows, times_out
from deploy.demo.sorting import Row, Sorted
from edge.core.images.contact_sheet import Headline, Mark, SheetSection, Tile, write_contact_sheet
from edge.core.images.image_file import Image
from edge.flow import Frame
from edge.simulation.account.gallery import blank_picture
from edge.simulation.account.lane_figures import LaneFigures
from edge.simulation.account.passage import Flap, lane_of
from edge.simulation.belt.traffic import GroundTruth

_ROOM = 1.15
"""Side of a tile's picture, in longer sides of the item."""
_MARKS = {Mark.OK: "in the right lane", Mark.WRONG: "in a wrong lane", Mark.REJECT: "rejected"}


@dataclass(frozen=True, slots=True, eq=False)
class Fate:
    """One item: what it was, what was thought of it, and where it fell."""

    truth: GroundTruth
    row: Row | None
    """Its verdict; of several the first; None: it has none."""
    lane: str
    """The lane it fell into."""


def fates_of(run: Sorted, *, flap_after_seconds: float) -> tuple[list[Fate], Verdicts]:
    """(what became of every item, which rows are whose).

    Args:
        flap_after_seconds: how long after the moment at which a lane's flap starts to move an item
            is in front of it.
    """
    flaps = sorted(_flaps(run, flap_after_seconds), key=lambda flap: flap.seconds)
    verdicts = match_rows(run.truths, [row.captured for row in run.rows])
    end = run.config.default_lane
    fates = []
    for truth in run.truths:
        rows = verdicts.rows[truth.item]
        row = run.rows[rows[0]] if rows else None
        fates.append(Fate(truth, row, lane_of(partial(add, truth.centred), flaps, end=end)))
    return fates, verdicts


def _flaps(run: Sorted, after_seconds: float) -> Iterator[Flap]:
    for name, lane in run.config.lanes.items():
        delay = run.config.delay_seconds(lane)
        if lane.actuator is None or delay is None:
            continue
        gpio = lane.actuator.model_dump()["pin"]
        out = times_out(run.pins.get(gpio, ()), rest=0.0, active=1.0)
        yield Flap(name, delay + after_seconds, out)


def write_sheet(
    path: Path,
    fates: Sequence[Fate],
    lanes: Mapping[str, LaneFigures],
    *,
    title: str,
    headline: Headline,
    summary: Sequence[str],
) -> None:
    """Writes the contact sheet: what fell into each lane, as the station's camera saw it.

    Raises:
        StorageError: the place cannot be written.
    """
    sections = []
    for name, lane in lanes.items():
        inside = [fate for fate in fates if fate.lane == name]
        inside.sort(key=lambda fate: fate.truth.item)
        tiles = [_tile(fate, lane) for fate in inside]
        if lane.labels:
            wanted = f"for {', '.join(lane.labels)}"
            note = (
                f"{wanted}: purity (what is in it belongs there) {lane.purity}; recovery (what "
                f"belongs there is in it) {lane.recovery}"
            )
        else:
            note = "the end of the belt: what was rejected, or missed its flap"
        sections.append(SheetSection(f"Lane {name}", tiles, note=note))
    # What went wrong comes first: it is what one looks for.
    sections.sort(key=lambda section: all(tile.mark is Mark.OK for tile in section.tiles))
    write_contact_sheet(
        path,
        title=title,
        headline=headline,
        summary=summary,
        sections=sections,
        limit_per_section=96,
        meanings=_MARKS,
    )


def mark_of(fate: Fate, lane: LaneFigures) -> Mark:
    """Whether the item lies where it belongs."""
    if fate.truth.label in lane.labels:
        return Mark.OK
    return Mark.WRONG if lane.labels else Mark.REJECT


def _tile(fate: Fate, lane: LaneFigures) -> Tile:
    truth, row = fate.truth, fate.row
    if row is None or row.entry.label is None or row.entry.confidence is None:
        return Tile(
            blank_picture(), f"{truth.label}: no verdict", f"item {truth.item}", mark_of(fate, lane)
        )
    entry = row.entry
    caption = f"{entry.label} {entry.confidence:.0%}"
    if entry.label != truth.label:
        caption += f", is {truth.label}"
    detail = f"item {truth.item}, {entry.frames} frames"
    if entry.reject:
        detail += f", {entry.reject.replace('_', ' ')}"
    elif entry.lane != fate.lane:
        detail += f", sent to {entry.lane}"
    image = blank_picture() if row.frame is None else cut_square(row.frame, truth)
    return Tile(image, caption, detail, mark_of(fate, lane))


def cut_square(frame: Frame, truth: GroundTruth) -> Image:
    """The square of a frame around an item, which is there by the belt's truth."""
    image = frame.image
    box = truth.box
    height, width = image.shape[:2]
    side = min(height, width, round(_ROOM * max(box.width, box.height)))
    moved = (frame.captured - truth.centred) * truth.pixels_per_second
    left = round(box.left + moved + box.width / 2 - side / 2)
    top = round(box.top + box.height / 2 - side / 2)
    left, top = max(0, min(left, width - side)), max(0, min(top, height - side))
    return image[top : top + side, left : left + side]
