"""Matches the blobs of each picture to the objects of the picture before."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from edge.core.images.preprocess import Box
from edge.vision.trigger.blobs import Blob, cut_off
from edge.vision.trigger.doubt import Doubt
from edge.vision.trigger.track import Edges, Track, Vector

_INSIDE = 0.6
"""The share of a box within another from which it counts as inside."""
_CLOSE = 0.03
"""The largest gap between blobs that come into view as one object, as a share of that side."""
_SHRUNK = 4.0
"""A blob whose area is so many times smaller than that of an object seen once is another object;
one that comes off a travelling object is a piece of it."""
_SILENT_SECONDS = 1.0
"""The time at rest after which an object that cannot be an item becomes background."""
_KNOWN_FRAMES = 4
"""An object that so many pictures have shown is known to hide the scene behind it."""
_HELD_SECONDS = 2.0
"""What came into view while the scene was in doubt is no item, if it still is after so long."""


class Tracks:
    """The tracks of all objects in view.

    What comes into view while it is doubtful whether the camera still sees its scene is held: it is
    no item before the scene is recognised again, and none at all where it is not.
    """

    def __init__(
        self,
        *,
        min_area: float,
        min_gap: float,
        still_seconds: float,
        lost_seconds: float,
        stuck_seconds: float,
    ) -> None:
        """Starts with nothing in view.

        Args:
            min_area: the area below which a blob is not a new object, as a share of the picture;
                an object in view may become smaller.
            min_gap: the gap below which blobs are one object, as a share of the longer side.
            still_seconds: how long an object must be at rest to be an item; 0: it may move.
            lost_seconds: the time unseen after which an object is gone.
            stuck_seconds: the time at rest after which an object becomes background.
        """
        self._min_area, self._min_gap, self._still_seconds = min_area, min_gap, still_seconds
        self._lost_seconds, self._stuck_seconds = lost_seconds, stuck_seconds
        self._tracks: list[Track] = []
        self._doubts: dict[Track, Doubt] = {}
        self._held: dict[Track, float] = {}
        """When each came into view of those that are held."""
        self._usual: Vector | None = None
        self._skipped = 0
        self._numbered = 0

    def __iter__(self) -> Iterator[Track]:
        """The tracks of all objects in view, and of those that were in view a moment ago."""
        return iter(self._tracks)

    def seen(self) -> list[Track]:
        """The tracks of the items in the picture, each with its number."""
        items = [track for track in self._tracks if self._is_item(track)]
        for track in items:
            if track.number is None:
                self._numbered += 1
                track.number = self._numbered
        return items

    def follow(
        self,
        blobs: Sequence[Blob],
        at: float,
        size: Vector,
        is_calm: Callable[[Box], bool],
        *,
        doubtful: bool = False,
    ) -> None:
        """Updates the tracks with the blobs of the next picture.

        Args:
            blobs: the objects in front of the background.
            at: when the picture was taken, in seconds.
            size: the picture's width and height.
            is_calm: returns whether nothing moves in a box.
            doubtful: whether they may be parts of another scene.
        """
        self._skipped = 0
        for track in self._tracks:
            track.shown = False
        if self._min_gap:
            blobs = _joined(self._without_specks(blobs, at, size), self._min_gap * max(size))
        for blob in _joined(self._matched(blobs, at, size), _CLOSE * max(size)):
            if blob.area >= self._min_area * size[0] * size[1]:
                track = Track(blob.box, blob.extent, at, size=size, body=blob.body)
                self._doubt(track)
                self._tracks.append(track)
                if doubtful:
                    self._held[track] = at
        self._let_go(at, doubtful=doubtful)
        for track, doubt in list(self._doubts.items()):
            self._keep(track, doubt.still(track, self._tracks) if track in self._tracks else None)
        for track in self._tracks:
            if track.seen == at and not is_calm(track.box):
                track.calm_since = at

    def travelling(self, at: float, size: Vector) -> list[Edges]:
        """Where objects that travel are expected, with what their places may be off."""
        if self._still_seconds:
            return []
        side = max(size)
        return [
            track.expected(at, None).enlarged(self._reach(track, at, side))
            for track in self._tracks
            if track.travels
        ]

    def known(self, at: float, size: Vector) -> list[Edges]:
        """Where objects that hide the scene are, with what their places may be off."""
        side = max(size)
        return [
            track.expected(at, None).enlarged(self._reach(track, at, side))
            for track in self._tracks
            if track.frames >= _KNOWN_FRAMES and track not in self._held
        ]

    def skip(self) -> None:
        """Skips a picture that shows nothing about the objects, as nearly all of it differs."""
        self._skipped += 1
        self._without(list(self._held))
        self._held.clear()
        for track in self._tracks:
            track.shown = False

    def wake(self, boxes: Sequence[Box], at: float, size: Vector) -> None:
        """Adds tracks for objects at rest in `boxes` that move again; they are not items again."""
        self._tracks += [Track(box, box, at, size=size, silent=True) for box in boxes]

    def ended(self, at: float) -> list[Track]:
        """Removes the tracks of the objects that are gone, and returns them.

        An object that was seen once is gone if the next picture does not show it. A single skipped
        picture ends no track.
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
        """Removes the tracks of the objects that have been at rest for too long; returns them."""
        return self._without(
            track
            for track in self._tracks
            if at - track.still_since > (_SILENT_SECONDS if track.silent else self._stuck_seconds)
        )

    def all_gone(self) -> list[Track]:
        """Removes all tracks, and returns them."""
        return self._without(self._tracks)

    def _is_item(self, track: Track) -> bool:
        if track.silent or track in self._doubts or track in self._held or not track.shown:
            return False
        if not self._still_seconds:
            return True
        rest = track.seen - max(track.still_since, track.calm_since)
        return track.alone and rest >= self._still_seconds

    def _doubt(self, track: Track) -> None:
        """Asks whether a new object may be a part of another one; what must rest never is."""
        if not self._still_seconds:
            sure = [other for other in self._tracks if other not in self._doubts]
            self._keep(track, Doubt.about(track, sure))

    def _let_go(self, at: float, *, doubtful: bool) -> None:
        """Those that are held are items, now that there is no doubt; or never, after a while."""
        if not doubtful:
            self._held.clear()
        for track, since in list(self._held.items()):
            if at - since > _HELD_SECONDS:
                track.silent = True
                del self._held[track]

    def _keep(self, track: Track, doubt: Doubt | None) -> None:
        self._doubts.pop(track, None)
        if doubt is not None:
            self._doubts[track] = doubt

    def _is_doubted(self, track: Track, others: Container[Track]) -> bool:
        """Whether a track may be a part of one of the others."""
        return track in self._doubts and self._doubts[track].whole in others

    def _without(self, tracks: Iterator[Track] | Sequence[Track]) -> list[Track]:
        taken = list(tracks)
        self._tracks = [track for track in self._tracks if track not in taken]
        return taken

    def _matched(self, blobs: Sequence[Blob], at: float, size: Vector) -> list[Blob]:
        """Moves each track to its blob; returns the blobs without a track."""
        expected = {track: track.expected(at, self._usual) for track in self._tracks}
        owners = self._owners(blobs, expected, at, size)
        boxes = {index: blobs[index].box for index in owners}
        bodies = {index: blobs[index].body for index in owners}
        left_over = []
        for index, blob in enumerate(blobs):
            if index in owners:
                continue
            for mine, track in owners.items():
                if _is_part(blob, blobs[mine], track, expected[track], size) or _has_come_off(
                    blob, blobs[mine], track, size
                ):
                    boxes[mine] = _union(boxes[mine], blob.box)
                    bodies[mine] = _union(bodies[mine], blob.body)
                    break
            else:
                left_over.append(blob)
        alone = [track for track in self._tracks if track not in owners.values()]
        for index, track in owners.items():
            blob, edges = blobs[index], Edges.of(blob.box)
            # Objects that touch each other are one blob: each is expected at its own velocity.
            larger = edges.area > 1.2 * expected[track].area
            others = [one for one in alone if larger and _covered(expected[one], edges) > _INSIDE]
            joint = {track, *others}
            parts = [one for one in joint if self._is_doubted(one, joint)]
            if parts:  # what came in beside one another is one object
                track, *others = (one for one in (track, *others) if one not in parts)
                self._without(parts)
            if others:
                for one in (track, *others):
                    one.share(_within(expected[one], blob.box), blob.extent, at)
                continue
            track.move(boxes[index], blob.extent, at, body=bodies[index])
            if blob.whole and boxes[index] == blob.box and not any(track.cut):
                track.look_at(blob.shape)
            if track.passed is not None and not self._still_seconds:
                self._usual = track.velocity
        return left_over

    def _without_specks(self, blobs: Sequence[Blob], at: float, size: Vector) -> list[Blob]:
        """The blobs that may be parts of items that look like several.

        What is too small for an item, and lies beside one of which all was in view, is a speck on
        the belt or the tip of the next one: joined to it, it would move the item's middle.
        """
        least, side = self._min_area * size[0] * size[1], max(size)
        places = [(track, track.expected(at, self._usual)) for track in self._tracks]

        def is_speck(blob: Blob) -> bool:
            if blob.area >= least:
                return False
            box = Edges.of(blob.box)
            near = [(t, where) for t, where in places if where.gap(box) <= self._min_gap * side]
            within = (_covered(box, where.enlarged(_CLOSE * side)) > _INSIDE for _, where in near)
            return any(track.was_whole for track, _ in near) and not any(within)

        return [blob for blob in blobs if not is_speck(blob)]

    def _owners(
        self, blobs: Sequence[Blob], expected: Mapping[Track, Edges], at: float, size: Vector
    ) -> dict[int, Track]:
        """The track of each blob, by the blob's index; the best pairs are chosen first."""
        side, pairs = max(size), []
        for track, where in expected.items():
            for index, blob in enumerate(blobs):
                edges = Edges.of(blob.box)
                if where.gap(edges) > self._reach(track, at, side):
                    continue
                if track.frames == 1 and where.area > _SHRUNK * edges.area:
                    continue  # A damaged picture, and another object that comes in at its place.
                unlike = _unlike(track, where, blob, side)
                new = track.velocity is None and self._usual is None
                if new and any(cut_off(blob.box, size)):
                    # More likely the next one coming in than this one moving back.
                    unlike += 0.5
                pairs.append((unlike, index, track))
        owners: dict[int, Track] = {}
        for _, index, track in sorted(pairs, key=lambda pair: pair[:2]):
            if index not in owners and track not in owners.values():
                owners[index] = track
        return owners

    def _reach(self, track: Track, at: float, side: float) -> float:
        """The pixels by which a blob may miss the expected place of the object."""
        if track.velocity is not None:
            return 0.06 * side + math.hypot(*track.velocity) * (at - track.seen) / 2
        return (0.15 if self._usual else 0.35) * side


def _is_part(part: Blob, blob: Blob, track: Track, where: Edges, size: Vector) -> bool:
    """Whether `part` is a piece of the object in `blob`; a bottle is often divided at its label."""
    cut = zip(track.cut, cut_off(blob.box, size), strict=True)
    if any(before and not now for before, now in cut):
        return False  # The object has come in; a blob behind it at the edge is the next one.
    return _covered(Edges.of(part.box), where) > _INSIDE


def _has_come_off(piece: Blob, blob: Blob, track: Track, size: Vector) -> bool:
    """Whether `piece` belongs to the travelling object in `blob`, such as the cap of a bottle whose
    neck is of the belt's colour: it is small, close to it, and did not come over the edge."""
    close = Edges.of(piece.box).gap(Edges.of(blob.box)) <= _CLOSE * max(size)
    small = _SHRUNK * piece.area <= blob.area
    return close and small and track.passed is not None and not any(cut_off(piece.box, size))


def _unlike(track: Track, where: Edges, blob: Blob, side: float) -> float:
    """How badly the blob fits the object: their distance, and the ratio of their sizes."""
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
            body, area = _union(one.body, blob.body), one.area + blob.area
            blob = blob._replace(box=box, area=area, extent=extent, body=body, whole=False)
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
    """The part of `box` within `edges`; all of `box` if that part is smaller than a pixel."""
    common = edges.common(Edges.of(box))
    left, top, right, bottom = (round(side) for side in common)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else box
