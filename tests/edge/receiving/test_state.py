"""Whatever is scanned, corrected, undone and read anew, the figures are those of the rows."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.errors import DeliveryRefusedError
from edge.receiving.code import read_code
from edge.receiving.events import (
    CountCorrected,
    CountUndone,
    DeliveryEvent,
    DeliveryImported,
    MarkedDamaged,
    PieceCounted,
)
from edge.receiving.scan import Scan
from edge.receiving.state import fold, undone_ids
from edge.receiving.store import Deliveries
from tests.edge.receiving.goods_lists import (
    LINES,
    PACK_OF_SHOES,
    SHOE,
    SOCK,
    UNKNOWN,
    counting,
    desk_at,
)

STEPS = st.one_of(
    st.tuples(st.just("scan"), st.sampled_from([SHOE, PACK_OF_SHOES, SOCK, UNKNOWN, "S1", "S2"])),
    st.tuples(st.just("damaged"), st.sampled_from([SHOE, PACK_OF_SHOES])),
    st.tuples(st.just("correct"), st.integers(0, 12)),
    st.tuples(st.just("undo"), st.integers(0, 30)),
    st.tuples(st.just("restart"), st.just(0)),
)


def plainly(events: Sequence[DeliveryEvent]) -> dict[int, tuple[int, int]]:
    """Line -> pieces and damaged ones, reckoned in the plainest way: by whether each event counts.

    An event counts where no undo of it does.
    """

    def counts(event: DeliveryEvent) -> bool:
        undos = [one for one in events if isinstance(one, CountUndone) and one.undone == event.id]
        return not any(counts(undo) for undo in undos)

    found = {line.number: (0, 0) for line in LINES}
    for event in events:
        if not counts(event):
            continue
        if isinstance(event, PieceCounted):
            pieces, damaged = found[event.line]
            found[event.line] = pieces + event.pieces, damaged
        elif isinstance(event, MarkedDamaged):
            pieces, damaged = found[event.line]
            found[event.line] = pieces, damaged + event.pieces
        elif isinstance(event, CountCorrected):
            pieces, damaged = found[event.line]
            found[event.line] = pieces + event.now - event.was, damaged
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_the_figures_are_those_of_the_rows(steps: list[tuple[str, str | int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with counting(Path(folder)):
            pass
        with desk_at(Path(folder)) as desk:
            for what, value in steps:
                before = list(desk.deliveries.events("D1"))
                try:
                    if what == "restart":
                        desk.deliveries._known.clear()
                    elif what == "scan" or what == "damaged":
                        desk.scan(None, Scan(code=read_code(str(value))), damaged=what != "scan")
                    elif what == "correct":
                        desk.correct(None, 1, "counted", int(value), "a miscount")
                    else:
                        gone = undone_ids(before)
                        live = [event for event in before[2:] if event.id not in gone]
                        if live:
                            desk.undo(None, live[int(value) % len(live)].id)
                except DeliveryRefusedError:  # the figures would have been impossible
                    assert list(desk.deliveries.events("D1")) == before
                state, events = desk.deliveries.state("D1"), desk.deliveries.events("D1")
                assert state is not None
                found = {
                    line.number: (
                        state.count(line.number).counted,
                        state.count(line.number).damaged,
                    )
                    for line in LINES
                }
                assert found == plainly(events)
                assert state == fold(events)
                assert state.impossible is None
            with Deliveries(desk.deliveries.path) as others:
                assert others.state("D1") == desk.deliveries.state("D1")


@given(st.randoms(use_true_random=False), st.lists(st.integers(1, 4), max_size=20))
def test_the_order_of_scans_and_items_does_not_matter(
    mixed: random.Random, lines: list[int]
) -> None:
    head = ("time", "door", "D1", "clerk")
    first = DeliveryImported("first", *head, lines=LINES)
    events: list[DeliveryEvent] = [
        PieceCounted(
            f"p{n}", *head, line=line, pieces=n % 3 + 1, item_id=f"i{n}" if n % 2 else None
        )
        for n, line in enumerate(lines)
    ]
    events += [
        CountCorrected(f"c{n}", *head, line=line, figure="counted", was=n, now=n + 2, why="")
        for n, line in enumerate(lines[:5])
    ]
    shuffled = list(events)
    mixed.shuffle(shuffled)
    one, other = fold([first, *events]), fold([first, *shuffled])
    assert one is not None
    assert other is not None
    assert one.counts == other.counts


def test_an_undo_that_is_undone_has_no_effect() -> None:
    head = ("time", "door", "D1", "clerk")
    events: list[DeliveryEvent] = [
        DeliveryImported("first", *head, lines=LINES),
        PieceCounted("p", *head, line=1, pieces=1),
    ]
    before = "p"
    for depth in range(1, 6):
        events.append(CountUndone(f"u{depth}", *head, undone=before))
        before = f"u{depth}"
        state = fold(events)
        assert state is not None
        assert state.count(1).counted == (0 if depth % 2 else 1)
