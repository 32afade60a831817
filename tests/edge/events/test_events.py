from __future__ import annotations

import uuid

import pytest

from edge.events import KINDS, CameraLost, Event, ItemSorted, Stamps, kind_of, of_items, utc_text
from tests.edge.ledger.entries import actuation, entry


def test_a_stamp_has_what_all_events_have_in_the_order_in_which_they_have_it() -> None:
    stamps = Stamps("bin-1", lambda: 1_795_302_276.5)
    now, earlier = stamps.now(), stamps.at(9.0)
    lost = CameraLost(*now, camera="cam")
    assert (lost.id, lost.time, lost.station) == (now.id, utc_text(1_795_302_276.5), "bin-1")
    assert earlier.time == "1970-01-01T00:00:09.000000Z"
    # of the moment at which it was made, whenever that happened which it tells of
    assert {uuid.UUID(stamp.id).int >> 80 for stamp in (now, earlier)} == {1_795_302_276_500}
    assert now.id < earlier.id


def test_one_who_asks_for_items_is_told_of_nothing_else() -> None:
    taken: list[ItemSorted] = []
    observe = of_items(taken.append)
    for event in (entry(1), actuation(1), CameraLost("", "", "", "cam"), entry(2)):
        observe(event)
    assert taken == [entry(1), entry(2)]


@pytest.mark.parametrize("event", [entry(1), actuation(1), CameraLost("", "", "", "cam")])
def test_the_name_of_a_kind_leads_to_its_class(event: Event) -> None:
    assert KINDS[kind_of(event)] is type(event)


@pytest.mark.parametrize("event", [entry(1), actuation(1)])
def test_what_happened_does_not_change(event: Event) -> None:
    with pytest.raises(AttributeError):
        event.id = "another"  # type: ignore[misc]
