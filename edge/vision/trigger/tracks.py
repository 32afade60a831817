"""Which blob of a picture is which of the picture before: each thing keeps its number."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from edge.core.images.preprocess import Box
from edge.vision.trigger.blobs import Blob, cut_off
from edge.vision.trigger.track import Edges, Track, Vector

_INSIDE = 0.6
"""So much of a box within another is inside it, as a share."""
_APART = 0.1
"""Parts of one thing are no further apart, as a share of the picture's longer side."""
_CLOSE = 0.03
"""What comes into view no further apart is one thing, as a share of the longer side."""
_SHRUNK = 4.0
"""What covers so many times less than what was seen once is something else."""
_SILENT_SECONDS = 1.0
"""What is no item belongs to the background after so long at rest."""


class Tracks:
    """All the things in view."""

    def __init__(
        self,
        *,
        min_area: float,
        min_gap: float,
        still_seconds: float,
        lost_seconds: float,
        stuck_seconds: float,
    ) -> None:
        """Nothing is in view yet.

        Args:
            min_area: a smaller blob is no new thing, as a share of the picture; what is in view
                may become smaller.
            min_gap: blobs nearer to each other are one thing, as a share of the longer side.
            still_seconds: how long a thing must be at rest to be an item; 0: it may be moving.
            lost_seconds: what was not seen for longer is gone.
            stuck_seconds: what was at rest for longer belongs to the background.
        """
        self._min_area, self._min_gap, self._still_seconds = min_area, min_gap, still_seconds
        self._lost_seconds, self._stuck_seconds = lost_seconds, stuck_seconds
        self._tracks: list[Track] = []
        self._usual: Vector | None = None
        self._skipped = 0
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[Track]:
        """Everything in view, and what was in view a moment ago."""
        return iter(self._tracks)

    def seen(self) -> list[Track]:
        """The items that can be seen in the picture, each with its number."""
        items = [track for track in self._tracks if self._is_item(track)]
        for track in items:
            if track.number is None:
                track.number = next(self._numbers)
        return items

    def follow(
        self, blobs: Sequence[Blob], at: float, size: Vector, is_calm: Callable[[Box], bool]
    ) -> None:
        """The picture taken at `at` seconds shows `blobs`.

        Args:
            size: the picture's width and height.
            is_calm: nothing moves there.
        """
        self._skipped = 0
        for track in self._tracks:
            track.shown = False
        if self._min_gap:
            blobs = _joined(blobs, self._min_gap * max(size))
        for blob in _joined(self._matched(blobs, at, size), _CLOSE * max(size)):
            if blob.area >= self._min_area * size[0] * size[1]:
                self._tracks.append(Track(blob.box, blob.extent, at, size=size))
        for track in self._tracks:
            if track.seen == at and not is_calm(track.box):
                track.calm_since = at

    def skip(self) -> None:
        """The picture tells nothing of what is in view: nearly all of it differs."""
        self._skipped += 1
        for track in self._tracks:
            track.shown = False

    def wake(self, boxes: Sequence[Box], at: float, size: Vector) -> None:
        """What came to lie in `boxes` stirs again; it is no item a second time."""
        self._tracks += [Track(box, box, at, size=size, silent=True) for box in boxes]

    def ended(self, at: float) -> list[Track]:
        """What has gone; it is not in view any more.

        What was seen once has gone if the next picture does not show it. A single picture that
        tells nothing ends nothing.
        """
        if self._skipped == 1:
            return []
        return self._without(track for track in self._tracks if self._has_gone(track, at))

    def _has_gone(self, track: Track, at: float) -> bool:
        if track.shown:
            return False
        if at - track.seen > self._lost_seconds:
            return True
        return not self._skipped and (track.frames == 1 or track.is_leaving(at))

    def stuck(self, at: float) -> list[Track]:
        """What has been at rest for too long; it is not in view any more."""
        return self._without(
            track
            for track in self._tracks
            if at - track.still_since > (_SILENT_SECONDS if track.silent else self._stuck_seconds)
        )

    def all_gone(self) -> list[Track]:
        """Everything; nothing is in view any more."""
        return self._without(self._tracks)

    def _is_item(self, track: Track) -> bool:
        if track.silent or not track.shown:
            return False
        if not self._still_seconds:
            return True
        rest = track.seen - max(track.still_since, track.calm_since)
        return track.alone and rest >= self._still_seconds

    def _without(self, tracks: Iterator[Track] | Sequence[Track]) -> list[Track]:
        taken = list(tracks)
        self._tracks = [track for track in self._tracks if track not in taken]
        return taken

    def _matched(self, blobs: Sequence[Blob], at: float, size: Vector) -> list[Blob]:
        """Moves each thing to its blob; the blobs that nothing moved to."""
        expected = {track: track.expected(at, self._usual) for track in self._tracks}
        owners = self._owners(blobs, expected, at, size)
        boxes = {index: blobs[index].box for index in owners}
        left_over = []
        for index, blob in enumerate(blobs):
            if index in owners:
                continue
            for mine, track in owners.items():
                if _is_part(blob, blobs[mine], track, expected[track], size):
                    boxes[mine] = _union(boxes[mine], blob.box)
                    break
            else:
                left_over.append(blob)
        alone = [track for track in self._tracks if track not in owners.values()]
        for index, track in owners.items():
            blob, edges = blobs[index], Edges.of(blob.box)
            # Things that have come to touch each other are one blob: each goes on at its own pace.
            larger = edges.area > 1.2 * expected[track].area
            others = [one for one in alone if larger and _covered(expected[one], edges) > _INSIDE]
            if others:
                for one in (track, *others):
                    one.share(_within(expected[one], blob.box), blob.extent, at)
                continue
            track.move(boxes[index], blob.extent, at)
            if track.passed is not None and not self._still_seconds:
                self._usual = track.velocity
        return left_over

    def _owners(
        self, blobs: Sequence[Blob], expected: Mapping[Track, Edges], at: float, size: Vector
    ) -> dict[int, Track]:
        """The thing that each blob is, by the blob's index; the best pairs come first."""
        side, pairs = max(size), []
        for track, where in expected.items():
            for index, blob in enumerate(blobs):
                edges = Edges.of(blob.box)
                if where.gap(edges) > self._reach(track, at, side):
                    continue
                if track.frames == 1 and where.area > _SHRUNK * edges.area:
                    continue  # A damaged picture, and something that comes in where it was.
                unlike = _unlike(track, where, blob, side)
                new = track.velocity is None and self._usual is None
                if new and any(cut_off(blob.box, size)):
                    # Rather the next one coming in than this one going back to where it came from.
                    unlike += 0.5
                pairs.append((unlike, index, track))
        owners: dict[int, Track] = {}
        for _, index, track in sorted(pairs, key=lambda pair: pair[:2]):
            if index not in owners and track not in owners.values():
                owners[index] = track
        return owners

    def _reach(self, track: Track, at: float, side: float) -> float:
        """Pixels by which a blob may miss the place where the thing is expected."""
        if track.velocity is not None:
            return 0.06 * side + math.hypot(*track.velocity) * (at - track.seen) / 2
        return (0.15 if self._usual else 0.35) * side


def _is_part(part: Blob, blob: Blob, track: Track, where: Edges, size: Vector) -> bool:
    """The thing, which is `blob` now, has fallen apart: a bottle does so where its label is."""
    cut = zip(track.cut, cut_off(blob.box, size), strict=True)
    if any(before and not now for before, now in cut):
        return False  # It has come in, and what follows it at the edge is the next.
    edges = Edges.of(part.box)
    near = edges.gap(Edges.of(blob.box)) <= _APART * max(size)
    return near and _covered(edges, where) > _INSIDE


def _unlike(track: Track, where: Edges, blob: Blob, side: float) -> float:
    """How badly the blob fits the thing: the way between them, and how much larger one is."""
    edges = Edges.of(blob.box)
    way = math.dist(where.centre, edges.centre) / side
    if any(track.cut):
        return way
    return way + abs(math.log(max(edges.area, 1) / max(where.area, 1))) / 10


def _joined(blobs: Sequence[Blob], gap: float) -> list[Blob]:
    """The blobs, as one where no more than `gap` pixels lie between."""
    joined: list[Blob] = []
    for blob in blobs:
        near = [one for one in joined if Edges.of(one.box).gap(Edges.of(blob.box)) <= gap]
        joined = [one for one in joined if not any(one is other for other in near)]
        for one in near:
            box, extent = _union(one.box, blob.box), _union(one.extent, blob.extent)
            blob = blob._replace(box=box, area=one.area + blob.area, extent=extent)
        joined.append(blob)
    return joined


def _covered(box: Edges, by: Edges) -> float:
    return box.common(by).area / max(box.area, 1)


def _union(box: Box, other: Box) -> Box:
    one, two = Edges.of(box), Edges.of(other)
    left, top = min(box.left, other.left), min(box.top, other.top)
    width, height = max(one.right, two.right) - left, max(one.bottom, two.bottom) - top
    return Box(left, top, int(width), int(height))


def _within(edges: Edges, box: Box) -> Box:
    """The pixels of `box` that lie within `edges`, or all of it where these are less than one."""
    common = edges.common(Edges.of(box))
    left, top, right, bottom = (round(side) for side in common)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else box
