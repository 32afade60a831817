"""Whatever comes into view, and however long the model takes: what holds for every item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, InputSpec
from edge.core.verdict import Prediction, RejectReason, Rules
from edge.flow import Frame, Observation, PictureFault, PictureFaultKind
from edge.sorting.model import ActiveModel
from edge.sorting.routing import Destination, route
from edge.sorting.sorter import Sorter
from edge.sorting.vote_deadlines import VoteDeadlines

LABELS = ("can", "bottle", "paper")
ACCEPT = {"can": 0.5, "bottle": 0.7, "paper": 0.95}
FRAME_SECONDS = 0.1
DEADLINE = 0.45
DELAY = 0.6
PICTURE: Image = np.zeros((8, 8, 3), np.uint8)
LANES = {label: Destination(label, True, DELAY) for label in LABELS}
REJECTS = Destination("rest", False)


@some.composite
def crowds(draw: some.DrawFn) -> list[list[Observation]]:
    """The observations of each frame: items that come and go, some of which are seen only once."""
    frames: list[list[Observation]] = [[] for _ in range(30)]
    for item in range(1, 1 + draw(some.integers(0, 6))):
        begins, lasts = draw(some.integers(0, 25)), draw(some.integers(1, 8))
        sure = draw(some.booleans()) or lasts > 1
        middle = (begins + lasts / 2) * FRAME_SECONDS if draw(some.booleans()) else None
        for number in range(begins, min(begins + lasts, 29)):
            confirmed = sure and (number > begins or lasts == 1)
            frames[number].append(
                Observation(
                    item,
                    Box(0, 0, 4, 4),
                    whole=draw(some.booleans()),
                    passed=middle,
                    confirmed=confirmed,
                    too_close=draw(some.integers(0, 30)) == 0,
                )
            )
        frames[min(begins + lasts, 29)].append(
            Observation(item, Box(0, 0, 4, 4), gone=True, passed=middle)
        )
    return frames


class World:
    """A trigger that shows the crowd, a model with random scores, and the time that both take."""

    spec = InputSpec(crop="item")

    def __init__(self, frames: list[list[Observation]], seed: int, slowest: float) -> None:
        self.frames, self.chance, self.slowest = frames, np.random.default_rng(seed), slowest
        self.now = 0.0

    def look(self, frame: Frame) -> Sequence[Observation]:
        return self.frames[frame.sequence]

    def end(self) -> Sequence[Observation]:
        return ()

    def predict(self, image: Image, *, box: Box | None = None) -> Prediction:
        self.now += self.chance.uniform(0, self.slowest)
        scores = self.chance.dirichlet((0.4, 0.4, 0.4)).astype(np.float32)
        return Prediction(scores, float(self.chance.uniform()))

    def clock(self) -> float:
        return self.now


@settings(max_examples=60)
@given(
    crowds(),
    some.integers(0, 2**32 - 1),
    some.sampled_from([0.0, 0.02, 0.3]),
    some.sampled_from([None, 0.2]),
    some.booleans(),
    some.sets(some.integers(0, 29), max_size=4),
)
def test_one_verdict_each_in_time_and_no_label_under_its_threshold(
    frames: list[list[Observation]],
    seed: int,
    slowest: float,
    gap: float | None,
    alone: bool,
    faulty: set[int],
) -> None:
    frames = [*frames, *[[]] * 9]  # time for those that wait for who may follow
    world = World(frames, seed, slowest)
    rules = Rules(LABELS, ACCEPT, clear_frames=2, max_frames=4, unknown=0.9)
    sorter = Sorter(
        world,
        ActiveModel(world, rules, "tiny 1", "digest", slowest),
        closing=VoteDeadlines(DEADLINE, DELAY, 0.02, gap, alone),
        clock=world.clock,
    )
    verdicts: Counter[int] = Counter()
    for number in range(len(frames)):
        captured = number * FRAME_SECONDS
        world.now = max(world.now, captured)
        fault = PictureFault(PictureFaultKind.BLANK, lasting=True) if number in faulty else None
        for outcome in sorter.look(Frame(PICTURE, captured, number, fault=fault)):
            verdict = outcome.verdict
            verdicts[outcome.item] += 1
            routing = route(
                verdict,
                destinations=LANES,
                default=REJECTS,
                passed=outcome.passed,
                now=world.now,
                deadline=outcome.first + DEADLINE,
            )
            if routing.verdict.accepted:
                assert world.now <= outcome.first + DEADLINE
                assert world.now <= outcome.passed + DELAY
                assert verdict.confidence >= ACCEPT[verdict.label]
                assert verdict.novelty is not None
                assert verdict.novelty <= 0.9
                assert (routing.lane, routing.at) == (verdict.label, outcome.passed + DELAY)
            else:
                assert routing.verdict.reject in set(RejectReason)
                assert routing.lane == REJECTS.lane
    confirmed = {one.item for frame in frames for one in frame if one.confirmed and not one.gone}
    seen = {one.item for frame in frames for one in frame if not one.gone}
    assert verdicts == Counter(confirmed)
    assert sorter.single_frame == len(seen - confirmed)
