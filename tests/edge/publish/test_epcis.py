"""The receiver `epcis` against a repository of our own, which has GS1's schema where it is here."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edge.config.publish.web import EpcisSettings
from edge.core.errors import ReceiverSetupError
from edge.ledger.ledger import Ledger
from edge.publish import epcis, settled
from edge.publish.epcis import EpcisReceiver
from edge.publish.receiver import Entry, ReceiverUnavailable
from tests.edge.ledger.entries import actuation, correction, entry
from tests.edge.ledger.export.test_epcis import FORMATS
from tests.edge.publish.http_server import Asked, Reply, System
from tests.edge.publish.outboxes import entry_of


class Repository:
    """Captures events as EPCIS 2.0 says: a document as a whole, and each event once."""

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {}
        """By their ids, with and without an error declaration."""
        self.refuses: Callable[[dict[str, Any]], bool] = lambda event: False
        self.is_strict = False
        """Whether a document with an eventID that is there already is answered with 409."""
        self.answers: list[Reply] = []
        """What is answered next, before anything is captured."""
        self.job: list[dict[str, Any]] = []
        """What is told of a job, one after the other; empty: there are none."""

    def __call__(self, asked: Asked) -> Reply:
        if self.answers:
            return self.answers.pop(0)
        if asked.method == "GET":
            return Reply(200, self.job.pop(0)) if self.job else Reply(404)
        assert asked.path == "/epcis/capture"
        assert asked.headers["gs1-epcis-version"] == "2.0.0"
        found = asked.body["epcisBody"]["eventList"]
        if any(self.refuses(event) for event in found):
            return Reply(400, {"type": "epcisException:ValidationException", "title": "not that"})
        ids = [event["eventID"] for event in found]
        if self.is_strict and (self.events.keys() & ids or len(set(ids)) < len(ids)):
            return Reply(409, {"title": "EventID exists"})
        for event in found:
            known = self.events.setdefault(event["eventID"], [])
            if event not in known:
                known.append(event)
        if self.job:
            return Reply(202, None, {"Location": "/epcis/capture/7"})
        return Reply(202, None)


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def system(repository: Repository) -> Iterator[System]:
    with System(repository) as system:
        yield system


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def receiver(system: System, path: Path) -> EpcisReceiver:
    return EpcisReceiver(EpcisSettings(url=f"{system.url}/epcis/"), path)


def test_items_are_one_document_and_other_kinds_are_no_events_of_goods(
    receiver: EpcisReceiver, repository: Repository, system: System
) -> None:
    items = [entry_of(entry(number)) for number in range(3)]
    assert receiver.send([items[0], entry_of(actuation(0)), *items[1:]]) == []
    assert len(system.asked) == 1
    assert set(repository.events) == {f"urn:uuid:{one.id}" for one in items}
    assert receiver.send([entry_of(actuation(1))]) == []
    assert len(system.asked) == 1


def test_a_correction_is_an_error_declaration_and_the_event_that_is_right(
    receiver: EpcisReceiver, repository: Repository, path: Path
) -> None:
    changes = [
        correction(1, "label", "can", "bottle", 1), correction(1, "quantity", None, "4", 2),
    ]  # fmt: skip
    with Ledger(path) as ledger:
        ledger.append([entry(1), *changes])
    for event in (entry(1), *changes):
        assert receiver.send([entry_of(event)]) == []
    ids = [f"urn:uuid:{event.id}" for event in (entry(1), *changes)]
    assert list(repository.events) == ids
    first, second, last = (repository.events[one] for one in ids)
    assert ["errorDeclaration" in event for event in first] == [False, True]
    assert first[1]["errorDeclaration"]["correctiveEventIDs"] == [ids[1]]
    assert second[1]["errorDeclaration"]["correctiveEventIDs"] == [ids[2]]
    (right,) = last
    assert right["quantityList"] == [{"epcClass": "urn:x-pilah:label:bottle", "quantity": 4}]


def test_what_is_sent_twice_is_the_same_event(
    receiver: EpcisReceiver, repository: Repository
) -> None:
    one = entry_of(entry(1))
    receiver.send([one])
    receiver.send([one, entry_of(entry(2))])
    assert [len(events) for events in repository.events.values()] == [1, 1]


def test_a_correction_of_an_item_that_is_gone_is_refused(
    receiver: EpcisReceiver, repository: Repository, path: Path
) -> None:
    lost = entry_of(correction(1, "label", "can", "bottle"))
    (refused,) = receiver.send([lost, entry_of(entry(2))])
    assert refused.entry == lost
    assert "not in the ledger" in refused.reason
    assert len(repository.events) == 1
    path.write_text("no database, whatever it is called")
    with pytest.raises(ReceiverUnavailable, match="cannot read the ledger"):
        receiver.send([lost])


def test_an_event_that_is_refused_holds_up_no_other(
    receiver: EpcisReceiver, repository: Repository, system: System
) -> None:
    repository.refuses = lambda event: event.get("pilah:label") == "odd"
    entries = [entry_of(entry(n, label="odd" if n in (3, 11) else "can")) for n in range(16)]
    refused = receiver.send(entries)
    assert [one.entry for one in refused] == [entries[3], entries[11]]
    assert "not that" in refused[0].reason
    assert len(repository.events) == 14
    assert len(system.asked) < 16


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_repository_that_cannot_now_is_sent_the_same_later(
    receiver: EpcisReceiver, repository: Repository, status: int
) -> None:
    repository.answers = [Reply(status, {"title": "not now"})]
    with pytest.raises(ReceiverUnavailable, match=f"/capture answers {status}.*not now"):
        receiver.send([entry_of(entry(1))])
    assert receiver.send([entry_of(entry(1))]) == []
    assert len(repository.events) == 1


def test_one_that_refuses_what_it_has_gets_what_is_new_beside_it(
    receiver: EpcisReceiver, repository: Repository
) -> None:
    repository.is_strict = True
    entries = [entry_of(entry(number)) for number in range(6)]
    assert receiver.send(entries[:3]) == []
    assert receiver.send(entries) == []
    assert list(repository.events) == [f"urn:uuid:{one.id}" for one in entries]


def test_a_correction_at_one_that_takes_no_event_id_twice_is_set_aside(
    receiver: EpcisReceiver, repository: Repository, path: Path
) -> None:
    repository.is_strict = True
    change = correction(1, "label", "can", "bottle")
    with Ledger(path) as ledger:
        ledger.append([entry(1), change])
    (refused,) = receiver.send([entry_of(entry(1)), entry_of(change), entry_of(entry(2))])
    assert refused.entry.kind == "correction"
    assert "has an event of the same eventID: 409" in refused.reason
    assert list(repository.events) == [f"urn:uuid:{entry(number).id}" for number in (1, 2)]


def test_a_job_is_waited_for(
    receiver: EpcisReceiver, repository: Repository, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epcis, "_JOB_PAUSE", 0.001)
    repository.job = [{"running": True}, {"running": True}, {"running": False, "success": True}]
    assert receiver.send([entry_of(entry(1))]) == []
    assert [asked.path for asked in system.asked[1:]] == ["/epcis/capture/7"] * 3


def test_a_job_that_fails_is_a_refusal(receiver: EpcisReceiver, repository: Repository) -> None:
    repository.job = [{"running": False, "success": False, "errors": [{"title": "bad bizStep"}]}]
    (refused,) = receiver.send([entry_of(entry(1))])
    assert "bad bizStep" in refused.reason


@pytest.mark.parametrize(
    "told",
    [{"running": "false", "success": True}, {"running": False, "success": "false"},
     {"running": None}, {"running": False, "success": None}],
    ids=str,
)  # fmt: skip
def test_a_job_that_is_told_of_oddly_is_no_success(
    receiver: EpcisReceiver, repository: Repository, system: System, told: dict[str, Any]
) -> None:
    repository.job = [told, {"running": False, "success": True}]
    with pytest.raises(ReceiverUnavailable, match="what is neither true nor false: 200"):
        receiver.send([entry_of(entry(1))])
    assert receiver.send([entry_of(entry(1))]) == []
    assert [asked.method for asked in system.asked] == ["POST", "GET", "GET"]


def test_a_job_that_takes_too_long_is_no_success(
    receiver: EpcisReceiver, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epcis, "_JOB_SECONDS", 0.005)
    monkeypatch.setattr(epcis, "_JOB_PAUSE", 0.001)
    repository.job = [{"running": True}] * 5
    with pytest.raises(ReceiverUnavailable, match="still working"):
        receiver.send([entry_of(entry(1))])


def test_a_receiver_that_is_closed_waits_for_no_job(
    receiver: EpcisReceiver, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epcis, "_JOB_PAUSE", 60.0)
    monkeypatch.setattr(epcis, "_JOB_SECONDS", 600.0)
    repository.job = [{"running": True}] * 10
    receiver.close()
    with pytest.raises(ReceiverUnavailable, match="still working"):
        receiver.send([entry_of(entry(1))])
    assert len(repository.job) == 9


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job is asked for twice at each attempt."""
    monkeypatch.setattr(epcis, "_JOB_SECONDS", 0.002)
    monkeypatch.setattr(epcis, "_JOB_PAUSE", 0.001)


def attempts(receiver: EpcisReceiver, entries: list[Entry]) -> tuple[int, list[Entry]]:
    """Sends until it is done: how many attempts failed, and what was refused."""
    for failed in range(9):
        try:
            return failed, [one.entry for one in receiver.send(entries)]
        except ReceiverUnavailable:
            pass
    raise AssertionError("nine attempts failed")


@pytest.mark.usefixtures("impatient")
def test_a_job_that_takes_longer_than_an_attempt_is_asked_for_at_the_next_one(
    receiver: EpcisReceiver, repository: Repository, system: System
) -> None:
    repository.job = [*[{"running": True}] * 5, {"running": False, "success": True}]
    entries = [entry_of(entry(number)) for number in range(3)]
    with pytest.raises(ReceiverUnavailable, match="still working"):
        receiver.send(entries[:2])
    assert attempts(receiver, entries) == (1, [])  # one has come since
    assert [asked.method for asked in system.asked] == ["POST", *["GET"] * 6, "POST"]
    sent = [asked.body["epcisBody"]["eventList"] for asked in system.asked if asked.body]
    assert [len(events) for events in sent] == [2, 1]


@pytest.mark.usefixtures("impatient")
def test_a_document_whose_job_fails_at_a_later_attempt_is_halved(
    receiver: EpcisReceiver, repository: Repository
) -> None:
    entries = [entry_of(entry(n, label="odd" if n == 1 else "can")) for n in range(3)]
    repository.job = [*[{"running": True}] * 2, {"running": False, "success": False}]
    with pytest.raises(ReceiverUnavailable, match="still working"):
        receiver.send(entries)
    repository.refuses = lambda event: event.get("pilah:label") == "odd"
    assert attempts(receiver, entries) == (0, [entries[1]])


@pytest.mark.usefixtures("impatient")
def test_a_job_that_is_no_longer_known_or_not_of_this_batch_is_begun_anew(
    receiver: EpcisReceiver, repository: Repository, system: System
) -> None:
    entries = [entry_of(entry(number)) for number in range(2)]
    repository.job = [{"running": True}]
    with pytest.raises(ReceiverUnavailable, match="no longer knows the capture job"):
        receiver.send(entries)
    repository.job = [{"running": True}] * 2
    with pytest.raises(ReceiverUnavailable, match="still working"):
        receiver.send(entries)
    assert attempts(receiver, entries[1:]) == (0, [])  # the outbox dropped the other one
    assert [asked.method for asked in system.asked] == ["POST", "GET", "GET"] * 2 + ["POST"]


@pytest.mark.parametrize("status", [404, 405])
def test_a_repository_that_tells_nothing_of_its_jobs_has_what_it_accepted(
    receiver: EpcisReceiver, repository: Repository, status: int
) -> None:
    repository.answers = [Reply(202, None, {"Location": "/epcis/capture/7"}), Reply(status)]
    assert receiver.send([entry_of(entry(1)), entry_of(entry(2))]) == []
    assert repository.answers == []


LOCATIONS = {
    "/epcis/capture/7": ["/epcis/capture/7"],
    "capture/7": ["/epcis/capture/7"],
    "7": ["/epcis/7"],
    "/jobs/7?of=us%20all": ["/jobs/7?of=us%20all"],
    "/jobs/number 7": ["/jobs/number%207"],
    "http://10.0.0.5:8080/epcis/capture/7": ["/epcis/capture/7"],
    "http://10.0.0.5:8080/capture/7": ["/epcis/capture/7"],
    "http://[x": [],
    "": [],
}


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_job_is_asked_for_where_the_repository_says(
    receiver: EpcisReceiver, repository: Repository, system: System, location: str
) -> None:
    repository.answers = [Reply(202, None, {"Location": location})]
    repository.job = [{"running": False}]
    assert receiver.send([entry_of(entry(1))]) == []
    assert [asked.path for asked in system.asked[1:]] == LOCATIONS[location]


def test_a_station_logs_in_as_its_file_says(system: System, tmp_path: Path, path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    for ways, sent in (
        ({"token_file": secret}, "Bearer s3cret"),
        ({"username": "pilah", "password_file": secret}, "Basic cGlsYWg6czNjcmV0"),
    ):
        receiver = EpcisReceiver(EpcisSettings(url=f"{system.url}/epcis", **ways), path)  # type: ignore[arg-type]
        receiver.send([entry_of(entry(1))])
        assert system.asked[-1].headers["authorization"] == sent
    with pytest.raises(ReceiverSetupError, match=r"publish\.epcis\.token_file"):
        EpcisReceiver(EpcisSettings(url="http://h", token_file=tmp_path / "none"), path)


def test_every_document_is_valid_by_the_schema_of_gs1(
    receiver: EpcisReceiver, system: System, path: Path, shared: Path
) -> None:
    file = shared / "gs1" / "epcis_schema.json"
    if not file.is_file():
        pytest.skip(f"GS1's schema is not at {file}")
    changes = [correction(1, "label", "can", "größe 40", 1), correction(1, "quantity", None, "4")]
    items = [
        entry(1, barcode="4006381333931", delivery_id="PO 17/ä", quantity=6),
        entry(2, label=None, confidence=None, scores=None, accepted=False, reject="unreadable"),
    ]
    with Ledger(path) as ledger:
        ledger.append([*items, *changes])
    for entries in ([*items], [changes[1]], [changes[0]]):
        assert receiver.send([entry_of(event) for event in entries]) == []
    schema = json.loads(file.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=FORMATS)
    found = [asked.body for asked in system.asked]
    assert sum(len(document["epcisBody"]["eventList"]) for document in found) == 6
    for document in found:
        assert [error.message for error in validator.iter_errors(document)] == []


def test_a_repository_that_is_slow_gets_the_rest_at_the_next_attempt(
    receiver: EpcisReceiver, repository: Repository, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry_of(entry(n, label="odd" if n == 1 else "can")) for n in range(4)]
    repository.refuses = lambda event: event.get("pilah:label") == "odd"
    times = itertools.chain((0.0, 1.0, 2.0, 3.0, 100.0), itertools.repeat(0.0))
    monkeypatch.setattr(settled.SYSTEM_CLOCK, "now", lambda: next(times))
    with pytest.raises(ReceiverUnavailable, match="slowly"):
        receiver.send(entries)
    assert len(repository.events) == 1
    (refused,) = receiver.send(entries)
    assert refused.entry == entries[1]
    assert len(repository.events) == 3
    sent = [
        event["eventID"] for asked in system.asked for event in asked.body["epcisBody"]["eventList"]
    ]
    assert sent.count(f"urn:uuid:{entries[0].id}") == 3  # in all four, in two, and alone
