"""What follows for the ledger from the answer to a piece, with ids that follow, too."""

from __future__ import annotations

from edge.events import Event, ItemCorrected, PictureContradicted
from edge.receiving.events import PictureDisagreed, PieceCounted
from edge.receiving.pieces.answers import Answered
from edge.receiving.pieces.consequences import AnswerGiven, consequences
from tests.edge.receiving.pieces.bench import ADIDAS, LINES, PACK_OF_NIKE, Bench


def follows(found: Answered) -> list[Event]:
    """What follows from an answer."""
    last = found.events[-1]
    assert isinstance(last, PieceCounted | PictureDisagreed)
    given = AnswerGiven(last, found.before)
    assert list(consequences(given, found.answer.lines[0], found.item)) == list(
        consequences(given, found.answer.lines[0], found.item)
    )
    return list(consequences(given, found.answer.lines[0], found.item))


def test_an_item_that_went_to_its_lane_before_its_code_was_known_is_corrected() -> None:
    bench = Bench()
    item = bench.item("nike", ADIDAS)
    found = bench.answer(item)
    assert found is not None
    corrected, incident = follows(found)
    assert isinstance(corrected, ItemCorrected)
    assert (corrected.field, corrected.old, corrected.new) == ("quantity", "1", "0")
    assert isinstance(incident, PictureContradicted)
    assert (incident.expected, incident.seen, incident.in_time) == ("adidas", "nike", False)
    assert incident.item_id == item.id


def test_an_item_that_went_where_its_code_sent_it_is_an_incident_alone() -> None:
    bench = Bench()
    found = bench.answer(bench.item("nike", ADIDAS, accepted=False, reject="contradicted"))
    assert found is not None
    (incident,) = follows(found)
    assert isinstance(incident, PictureContradicted)
    assert incident.in_time


def test_a_pack_whose_code_came_late_is_corrected() -> None:
    bench = Bench()
    found = bench.answer(bench.item("nike", PACK_OF_NIKE))
    assert found is not None
    (corrected,) = follows(found)
    assert isinstance(corrected, ItemCorrected)
    assert (corrected.old, corrected.new) == ("1", "6")


def test_the_second_look_at_a_stopped_item_is_no_second_incident() -> None:
    bench = Bench()
    bench.see("nike", ADIDAS)
    found = bench.answer(bench.hand(ADIDAS))
    assert found is not None
    assert follows(found) == []


def test_a_person_who_decides_gives_the_item_its_pieces_back() -> None:
    bench = Bench()
    item = bench.item("nike", ADIDAS)
    found = bench.answer(item)
    assert found is not None
    stopped = found.events[-1]
    forced = PieceCounted(
        *bench.stamp(), "D1", "ana", line=1, pieces=1, code=ADIDAS, replaces=stopped.id
    )
    (corrected,) = consequences(AnswerGiven(forced, stopped), LINES[0], item.item)
    assert isinstance(corrected, ItemCorrected)
    assert (corrected.old, corrected.new, corrected.who) == ("0", "1", "ana")
    assert corrected.item_id == item.id


def test_what_a_person_saw_is_an_incident_without_an_item() -> None:
    bench = Bench()
    seen = PictureDisagreed(*bench.stamp(), "D1", "ana", line=1, code=ADIDAS, seen="nike")
    (incident,) = consequences(AnswerGiven(seen, None), LINES[0], None)
    assert isinstance(incident, PictureContradicted)
    assert (incident.expected, incident.seen, incident.time) == ("adidas", "nike", seen.time)
    assert (incident.item, incident.item_id, incident.lane, incident.in_time) == (None,) * 4
