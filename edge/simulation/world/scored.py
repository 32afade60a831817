"""A belt without pictures: items pass of which it is recorded what the model said of them.

Nothing is drawn and no model runs, so that a million items take minutes. A frame is made only where
it can matter: as many of an item as give it a clear verdict, or, of an item that will be rejected,
all in which it is in view.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, InputSpec
from edge.core.verdict import Prediction, decide
from edge.flow import Frame, Observation
from edge.simulation.world import TrueItem
from edge.sorting.model import ActiveModel
from edge.vision.trigger import TriggerSurroundings

VIEW = 1000
"""The width and height of the view, in which positions are counted."""
_ITEM = 200
"""The side of an item's box there."""
_WHOLE, _MIDDLE = 0.35, 0.1
"""How far from the middle of the view an item is classified, in views: where it is whole, or, by a
model that looks at the whole region, where it is in the middle."""
_DRAWN = 1000
"""So many items are drawn at once, which takes a fraction of the time."""
_KEPT = 8
"""How many items are remembered after they have passed: a verdict may come so late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTraffic:
    """How items come."""

    count: int
    rate: float
    """Items a second."""
    jitter: float
    """The share by which the time from item to item varies."""
    views_per_second: float
    """The belt's speed, in widths of the view."""
    frames_per_second: float
    seed: int


@dataclass(slots=True, eq=False)
class _Passing:
    true: TrueItem
    prediction: Prediction
    frames: deque[int]
    """The numbers of the frames in which it is looked at."""
    is_clear: bool
    """Whether it has its verdict before the last of them is over."""
    sightings: int = 0

    @property
    def passes(self) -> float:
        assert self.true.passes is not None
        return self.true.passes


class ScoredWorld:
    """Items with recorded scores, as a camera, a trigger and a model for a station."""

    kind: ClassVar[str] = "belt of recorded scores"
    items_from = "recorded"
    metres_per_second: float | None = None
    longest_stay = 0.0

    def __init__(
        self,
        recorded: Mapping[str, Sequence[Prediction]],
        traffic: ScoredTraffic,
        *,
        model: ActiveModel,
        metres_per_second: float | None,
    ) -> None:
        """Lets nothing pass yet.

        Args:
            recorded: the scores of pictures by what they really show.
            traffic: how items come.
            model: its rules decide; it is not asked.
            metres_per_second: the belt's speed; None if it is not known.
        """
        self.count, self.rate = traffic.count, traffic.rate
        self._traffic, self._model = traffic, model
        self.metres_per_second = metres_per_second
        self._recorded, self._random = recorded, np.random.default_rng((traffic.seed, 6))
        self._reach = _MIDDLE if model.whole_region else _WHOLE
        self._sure: dict[int, bool] = {}
        self._coming = self._items()
        self._next: _Passing | None = next(self._coming)
        self._frames: list[int] = []
        """A heap of the numbers of the frames to come."""
        self._passing: dict[int, _Passing] = {}
        self._before: deque[_Passing] = deque(maxlen=_KEPT)
        self._new: deque[TrueItem] = deque()
        self._looked = 0.0

    # World, but for pictures

    def appeared(self) -> Iterator[TrueItem]:
        """See World."""
        while self._new:
            yield self._new.popleft()

    def item_at(self, moment: float, box: Box | None) -> int | None:
        """See World."""
        found = None if box is None else self._at(moment, box)
        return None if found is None else found.true.number

    def lane_moved(self, lane: str, at: float) -> None:
        """See World: it changes nothing."""

    def judged(self, number: int | None, at: float) -> None:
        """See World: it changes nothing."""

    def close(self) -> None:
        """See World: it wrote nothing."""

    # What stands in for parts of the station

    def next_frame(self) -> float | None:
        """When the next frame is taken; None after the last item."""
        rate = self._traffic.frames_per_second
        while self._next is not None and (
            not self._frames or self._next.frames[0] <= self._frames[0]
        ):
            passing = self._next
            for number in passing.frames:
                heapq.heappush(self._frames, number)
            if not passing.is_clear:  # it gets its verdict as it is gone
                heapq.heappush(self._frames, passing.frames[-1] + 1)
            self._passing[passing.true.number] = passing
            self._new.append(passing.true)
            self._next = next(self._coming, None)
        if not self._frames:
            return None
        number = heapq.heappop(self._frames)
        while self._frames and self._frames[0] == number:
            heapq.heappop(self._frames)
        return number / rate

    def look(self, frame: Frame) -> list[Observation]:
        """The observations in a frame; see Trigger."""
        self._looked = frame.captured
        number = round(frame.captured * self._traffic.frames_per_second)
        found, gone = [], []
        for item, passing in list(self._passing.items()):
            while passing.frames and passing.frames[0] < number:
                passing.frames.popleft()  # it was taken and nobody looked at it
            if not passing.frames:
                gone.append(self._observed(passing, gone=True))
                del self._passing[item]
                self._before.append(passing)
            elif passing.frames[0] == number:
                passing.frames.popleft()
                passing.sightings += 1
                found.append(self._observed(passing, gone=False))
        return [*found, *gone]

    def end(self) -> list[Observation]:
        """See Trigger."""
        return [self._observed(passing, gone=True) for passing in self._passing.values()]

    def open_model(self, *, wait: Callable[[], None]) -> ActiveModel:
        """The model, whose answers are the recorded ones.

        Args:
            wait: lets the time of an inference pass.
        """
        model = self._model
        return ActiveModel(
            _Recorded(self, model.classifier.spec, wait),
            model.rules,
            title=model.title,
            digest=model.digest,
            inference_seconds=model.inference_seconds,
        )

    def answer(self, box: Box) -> Prediction:
        """The recorded scores of the item in `box` of the frame that was looked at last."""
        found = self._at(self._looked, box)
        assert found is not None
        return found.prediction

    def _at(self, moment: float, box: Box) -> _Passing | None:
        for passing in itertools.chain(self._passing.values(), reversed(self._before)):
            if abs(self._left(passing, moment) - box.left) <= 1:
                return passing
        return None

    def _left(self, passing: _Passing, moment: float) -> int:
        moved = (moment - passing.passes) * self._traffic.views_per_second * VIEW
        return round(VIEW / 2 - _ITEM / 2 + moved)

    def _observed(self, passing: _Passing, *, gone: bool) -> Observation:
        box = Box(self._left(passing, self._looked), (VIEW - _ITEM) // 2, _ITEM, _ITEM)
        return Observation(
            passing.true.number,
            box,
            gone=gone,
            passed=passing.passes,
            confirmed=passing.sightings > 1,
        )

    def _items(self) -> Iterator[_Passing]:
        traffic, labels = self._traffic, sorted(self._recorded)
        half = self._reach / traffic.views_per_second
        entering = (0.5 + _ITEM / VIEW / 2) / traffic.views_per_second
        passes = entering
        order = itertools.chain.from_iterable(
            self._random.permutation(len(labels)) for _ in itertools.count()
        )
        draws = itertools.chain.from_iterable(
            self._random.random((_DRAWN, 2)).tolist() for _ in itertools.count()
        )
        for number in range(1, traffic.count + 1):
            label, (chosen, sway) = labels[next(order)], next(draws)
            row = int(chosen * len(self._recorded[label]))
            prediction = self._recorded[label][row]
            true = TrueItem(
                number=number,
                label=label,
                source=f"{label}/{row}",
                entered=passes - entering,
                passes=passes,
            )
            yield self._passing_by(true, prediction, half)
            passes += (1 + traffic.jitter * (2 * sway - 1)) / traffic.rate

    def _passing_by(self, true: TrueItem, prediction: Prediction, half: float) -> _Passing:
        """An item with the frames in which it is looked at."""
        assert true.passes is not None
        rate, rules = self._traffic.frames_per_second, self._model.rules
        first, last = (
            math.ceil((true.passes - half) * rate),
            math.floor((true.passes + half) * rate),
        )
        there = max(1, last - first + 1)
        accepted = self._is_accepted(prediction)
        wanted = rules.clear_frames if accepted else rules.max_frames
        frames = deque(range(first, first + min(there, wanted)))
        return _Passing(true, prediction, frames, is_clear=accepted and there >= wanted)

    def _is_accepted(self, prediction: Prediction) -> bool:
        """Whether an item of which all frames have these scores is accepted."""
        key = id(prediction)  # of the few recorded ones, which are all kept
        if key not in self._sure:
            rules = self._model.rules
            verdict = decide(
                prediction.scores,
                rules.labels,
                rules.accept,
                title="",
                digest="",
                novelty=prediction.novelty,
                unknown=rules.unknown,
            )
            self._sure[key] = verdict.accepted
        return self._sure[key]


class ScoredTriggerSettings:
    """Stands in for the section `trigger`: it knows where each item is."""

    kind, has_box = "simulated", True

    def __init__(self, world: ScoredWorld) -> None:
        """Opens nothing yet."""
        self._world = world

    def open(self, around: TriggerSurroundings | None = None) -> ScoredWorld:
        """Opens the trigger."""
        return self._world


class _Recorded:
    """A classifier that looks its answers up."""

    def __init__(self, world: ScoredWorld, spec: InputSpec, wait: Callable[[], None]) -> None:
        self._world, self._wait = world, wait
        self.spec = spec

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        """See Answering."""
        assert box is not None
        prediction = self._world.answer(box)
        self._wait()
        return prediction
