"""From frames to verdicts: assigns each observation to its item, and closes the item's vote."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeAlias

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.verdict import Ballot, Prediction, RejectReason, Verdict, rejected
from edge.flow import EMPTY, Frame, ItemInFrame, Observation
from edge.sorting.framing import Framed, framed_by
from edge.sorting.model import ActiveModel
from edge.sorting.sorting_state import ALWAYS_SORTS, SortingState
from edge.sorting.vote_deadlines import VoteDeadlines
from edge.vision.trigger import Trigger
from edge.vision.trigger.beside import TriggerBeside

Sharpness: TypeAlias = "Callable[[Image, Box | None], float]"

_LAST = 20
"""So many items that got their verdicts are compared with those that follow."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """An item with its verdict."""

    item: int
    """The number that its trigger gave it."""
    verdict: Verdict
    frame: Frame
    """The last frame that was classified."""
    box: Box | None
    """The item's box in that frame."""
    first: float
    """When the item was first seen, in seconds on the frames' clock."""
    passed: float
    """When the item passes the middle of the region, on the same clock; may be in the future."""
    frames: int
    """The number of frames that voted."""
    deciding: Frame
    """The one that spoke most for the verdict's label, among those that showed the item best."""
    sharpest: ItemInFrame
    """The sharpest of those that voted, where sharpness is measured; else the last."""
    closes: float | None
    """When it must be on its way at the latest, on the same clock: the vote, had it gone on, would
    have been closed then. None: there is no limit."""
    alone: bool = True
    """Whether no other item without a verdict was in view."""


@dataclass(slots=True)
class _Voting:
    """An item in view that has no verdict yet."""

    model: ActiveModel
    """The model that classifies this item, even if the station's model changes meanwhile."""
    ballot: Ballot
    first: float
    frame: Frame
    box: Box | None
    passed: float
    confirmed: bool = False
    whole: bool = False
    leaves: bool = False
    """Whether the last frame showed all of it; or a part, but one before it all."""
    too_close: bool = False
    gone: bool = False
    """Whether it has left the view, and waits for who may follow too close behind."""
    speaking: dict[int, _Speaking] = field(default_factory=dict)
    """By class index, the frame that spoke most for it, where it was the best class of one."""
    sharpest: ItemInFrame | None = None
    sharpness: tuple[bool, float] = (False, -1.0)
    """Of `sharpest`: whether it shows the whole item, and how sharply."""

    def seen(self, observation: Observation, frame: Frame, sharpness: Sharpness) -> None:
        """Keeps the frame where it shows the item better than those before."""
        this = (observation.whole, sharpness(frame.image, observation.box))
        if this > self.sharpness:
            self.sharpest, self.sharpness = ItemInFrame(frame, observation.box), this

    def heard(self, prediction: Prediction, framed: Framed, frame: Frame) -> None:
        """Adds the scores of a frame to the vote."""
        best = self.ballot.add(
            prediction.scores, framed.framing, novelty=prediction.novelty, shown=framed.shown
        )
        weight = framed, float(prediction.scores[best])
        if best not in self.speaking or weight > self.speaking[best].weight:
            self.speaking[best] = _Speaking(weight, frame)

    def deciding(self, label: str) -> Frame:
        """The frame with the highest score for a label; the last frame if it was never the best."""
        labels = self.model.rules.labels
        index = labels.index(label) if label in labels else None
        return self.frame if index not in self.speaking else self.speaking[index].frame


class _Speaking(NamedTuple):
    """The frame that speaks most for a class."""

    weight: tuple[Framed, float]
    """Its framing and its score: a frame that shows the item better comes before a higher score."""
    frame: Frame


class _Answer(NamedTuple):
    """What a model that looks at the whole region answered for a frame."""

    model: ActiveModel
    prediction: Prediction


class Sorter:
    """Gives every item that its trigger finds exactly one verdict.

    An item's frames are classified until the vote is clear, the item is gone, or its time is up. An
    object that the trigger never confirmed is not an item. While a fault of the camera's pictures
    lasts, the items in view are rejected, because it is not known where they are; so are they while
    the station does not sort.

    Attributes:
        model: the model for each item whose vote begins from now on. Another thread may replace it;
            a vote that has begun keeps its own.
        single_frame: the number of objects that were seen in a single frame only, and got no
            verdict.
        trigger, state: the trigger, and the state of the station.
        in_view: what the trigger found in the last frame, without what has gone.
    """

    def __init__(
        self,
        trigger: Trigger,
        model: ActiveModel,
        *,
        closing: VoteDeadlines,
        clock: Callable[[], float],
        beat: Callable[[], None] = lambda: None,
        sharpness: Sharpness | None = None,
        state: SortingState = ALWAYS_SORTS,
    ) -> None:
        """Starts without an item in view.

        Args:
            trigger: finds the items.
            model: classifies them.
            closing: when votes are closed.
            clock: seconds, the clock of the frames' capture times.
            beat: called before each inference: a frame with many items takes many of them.
            sharpness: how sharp an item is, in an image and its box there; None: nobody asks.
            state: the state of the station.
        """
        self.trigger, self._clock, self._beat = trigger, clock, beat
        self._sharpness, self.state = sharpness, state
        self.model, self._closing = model, closing
        self._voting: dict[int, _Voting] = {}
        self._before: Frame | None = None
        """The frame before."""
        self._decided: dict[int, float] = {}
        """The items in view that got their verdicts, with when they pass."""
        self._passed: deque[float] = deque(maxlen=_LAST)
        """When the items passed that got their verdicts last."""
        self.single_frame = 0
        self.in_view: tuple[Observation, ...] = ()

    @property
    def next_closing(self) -> float | None:
        """When the next vote is to be closed, even without a frame; None if none has a limit."""
        now = self._clock()
        closings = (self._closes(voting, now) for voting in self._voting.values())
        return min((moment for moment in closings if moment is not None), default=None)

    @property
    def passing(self) -> Mapping[int, float]:
        """When the items pass that got their verdicts and are still in view, as it is known by now:
        their later frames tell it better than those before the verdict."""
        return self._decided

    def look(self, frame: Frame) -> Iterator[Outcome]:
        """The outcomes of the items that get their verdict with this frame.

        Args:
            frame: the next frame, cut to the station's region.
        """
        observations, answer = self._looked(frame)
        self._before = frame
        self.in_view = tuple(each for each in observations if not each.gone)
        if self.in_view:
            self.state.seen(frame.captured, self.in_view)
        for observation in observations:
            yield from self._follow(observation, frame, answer)
        if (reason := self._reason_to_reject(frame)) is not None:
            for item, voting in list(self._voting.items()):
                if voting.confirmed and (not voting.gone or reason is RejectReason.NOT_SORTING):
                    yield self._close(item, reason)
        for item, voting in list(self._voting.items()):
            if voting.gone and self._nobody_follows(voting, frame):
                yield self._close(item)
        yield from self.close_due()

    def close_due(self) -> Iterator[Outcome]:
        """The outcomes of the items whose time is up now."""
        now = self._clock()
        for item, voting in list(self._voting.items()):
            closes = self._closes(voting, now)
            if closes is not None and now >= closes:
                yield self._close(item)

    def end(self) -> Iterator[Outcome]:
        """The outcomes of the items still in view, because there are no more frames."""
        self.trigger.end()
        for item in list(self._voting):
            yield from self._leave(item)

    def _looked(self, frame: Frame) -> tuple[Sequence[Observation], _Answer | None]:
        """What the trigger finds in the frame, and what a model answered meanwhile."""
        voting, trigger = self._surely_in_view(frame), self.trigger
        if voting is None or not isinstance(trigger, TriggerBeside):
            return trigger.look(frame), None
        self._beat()
        begin = partial(trigger.begin, frame)
        try:
            found = voting.model.classifier.predict(frame.image, box=voting.box, meanwhile=begin)
        finally:
            observations = trigger.found(frame)
        return observations, _Answer(voting.model, found)

    def _surely_in_view(self, frame: Frame) -> _Voting | None:
        """The one item that this frame shows in all likelihood, for it was not about to leave. Its
        model can be asked at once if it looks at the whole region, wherever the item is."""
        if len(self._voting) != 1 or self._reason_to_reject(frame) is not None:
            return None
        (voting,) = self._voting.values()
        stays = voting.frame is self._before and not voting.leaves
        return voting if stays and voting.model.whole_region else None

    def _follow(
        self, observation: Observation, frame: Frame, answer: _Answer | None
    ) -> Iterator[Outcome]:
        item = observation.item
        if observation.gone:
            if item in self._voting:
                if observation.passed is not None:
                    self._voting[item].passed = observation.passed
                self._voting[item].gone = self._voting[item].confirmed
                if not self._voting[item].gone or self._nobody_follows(self._voting[item], frame):
                    yield from self._leave(item)
            self._decided.pop(item, None)
            return
        if item in self._decided:
            if observation.passed is not None:
                self._decided[item] = observation.passed
            return
        passed = frame.captured if observation.passed is None else observation.passed
        voting = self._voting.get(item)
        if voting is None:
            model = self.model  # one read: another thread may change it in between
            voting = _Voting(model, model.ballot(), frame.captured, frame, observation.box, passed)
            self._voting[item] = voting
        voting.frame, voting.box, voting.passed = frame, observation.box, passed
        voting.confirmed = voting.confirmed or observation.confirmed
        voting.too_close = voting.too_close or observation.too_close
        reason = self._reason_to_reject(frame)
        # Whether a picture shows an item at all, only a model with such a label can tell.
        looks = reason is RejectReason.NOT_SORTING and EMPTY in voting.model.rules.labels
        if reason is not None and not looks:
            return
        voting.leaves = not observation.whole and (voting.leaves or voting.whole)
        voting.whole = observation.whole
        if answer is not None and answer.model is voting.model:
            prediction = answer.prediction
        else:
            self._beat()
            prediction = voting.model.classifier.predict(frame.image, box=observation.box)
        framed = framed_by(
            observation,
            frame,
            whole_region=voting.model.whole_region,
            in_view_seconds=frame.captured - voting.first,
        )
        voting.heard(prediction, framed, frame)
        if self._sharpness is not None:
            voting.seen(observation, frame, self._sharpness)
        if voting.confirmed and voting.ballot.decided and self._nobody_follows(voting, frame):
            yield self._close(item)

    def _reason_to_reject(self, frame: Frame) -> RejectReason | None:
        """Why nothing in this frame is classified; None: it is."""
        if frame.fault is not None:
            return RejectReason.BAD_PICTURE
        return None if self.state.sorts else RejectReason.NOT_SORTING

    def _closes(self, voting: _Voting, now: float) -> float | None:
        # An unconfirmed object is not closed yet; if it is an item, its verdict may be late.
        if not voting.confirmed:
            return None
        seconds = voting.model.inference_seconds
        return self._closing.at(voting.first, voting.passed, inference_seconds=seconds, now=now)

    def _nobody_follows(self, voting: _Voting, frame: Frame) -> bool:
        """Whether an item that comes too close behind would have been seen by now."""
        if self._closing.min_gap_seconds is None:
            return True
        return frame.captured >= voting.passed and not self._are_close(
            voting.passed, frame.captured
        )

    def _are_close(self, one: float, other: float) -> bool:
        return self._closing.are_close(one, other, now=self._clock())

    def _is_too_close(self, voting: _Voting) -> bool:
        """Whether another item is in the way of one whose vote has just been closed."""
        others = [other for other in self._voting.values() if other.confirmed]
        there = any(not other.gone for other in others) or len(self._decided) > 1
        if voting.too_close or (self._closing.alone and there):
            return True
        passed = [*self._passed, *(other.passed for other in others)]
        return any(self._are_close(at, voting.passed) for at in passed)

    def _leave(self, item: int) -> Iterator[Outcome]:
        """The outcome of an object that has left the view, if it was an item."""
        if self._voting[item].confirmed:
            yield self._close(item)
        else:
            del self._voting[item]
            self.single_frame += 1

    def _close(self, item: int, reason: RejectReason | None = None) -> Outcome:
        voting = self._voting.pop(item)
        self._decided[item] = voting.passed
        if reason is None and not voting.ballot.frames:
            reason = self._reason_to_reject(voting.frame) or RejectReason.BAD_PICTURE
        elif reason is None and self._is_too_close(voting):
            reason = RejectReason.TOO_CLOSE
        if reason is RejectReason.NOT_SORTING and _shows_nothing(voting.ballot):
            reason = None
        self._passed.append(voting.passed)
        if voting.gone:
            del self._decided[item]
        verdict = voting.ballot.verdict() if reason is None else rejected(voting.ballot, reason)
        return Outcome(
            item=item,
            verdict=verdict,
            frame=voting.frame,
            box=voting.box,
            first=voting.first,
            passed=voting.passed,
            frames=voting.ballot.frames,
            deciding=voting.deciding(verdict.label),
            sharpest=voting.sharpest or ItemInFrame(voting.frame, voting.box),
            closes=self._closes(voting, self._clock()),
            alone=not any(other.confirmed for other in self._voting.values()),
        )


def _shows_nothing(ballot: Ballot) -> bool:
    if not ballot.frames:
        return False
    verdict = ballot.verdict()
    return verdict.accepted and verdict.label == EMPTY
