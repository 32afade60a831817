"""The receiver `epcis`: sends items and corrections to a repository of GS1's EPCIS 2.0.

An item is one event. A correction is two: the event of before with an error declaration, and the
event that is right. A repository drops an event that it has, by its `eventID`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from edge.config.publish.web import EpcisSettings
from edge.core.errors import LedgerError, LedgerMissingError, UsageError
from edge.ledger.export.epcis import document_head, object_events
from edge.ledger.export.reading import COLUMNS, ExportedItem, find_item
from edge.publish.credentials import read_secret, read_token
from edge.publish.http_client import HttpAnswer, HttpClient, basic
from edge.publish.receiver import Entry, ReceiverUnavailable, Refused
from edge.publish.receivers import Surroundings
from edge.publish.settled import Settled

_log = logging.getLogger(__name__)

_TAKES = ("item", "correction")
"""The kinds of entries that are sent: those about goods."""
_HEADERS = {
    "GS1-EPCIS-Version": "2.0.0",
    "GS1-CBV-Version": "2.0.0",
    "GS1-Capture-Error-Behaviour": "rollback",
    "Accept": "application/json",
}
"""All events of a document are captured, or none (EPCIS 2.0, section 12)."""
_JOB_SECONDS, _JOB_PAUSE = 15.0, 0.25
"""How long a repository may work on a document, and how often it is asked about it."""
_ACCEPTED = 202
_LONGEST_REASON = 500
"""Characters of what a repository says of a failed job; it may list every event."""
_NO_JOB = (404, 405)
"""What a repository answers that tells nothing of its jobs, or of this one no more."""
_OF_A_PATH = "/%:@!$&'()*+,;=~-._?"
"""What may stand as it is in a path and its query (RFC 3986, section 3.3)."""
_CONFLICT = 409
"""What some repositories answer to a document with an eventID that they have. Of one event, that
says that it is there. Of more it says nothing about the others; and a correction always repeats the
eventID of what it corrects."""


class EpcisReceiver:
    """See `edge/publish/receiver.py`."""

    name = "epcis"

    def __init__(self, settings: EpcisSettings, ledger: Path) -> None:
        """Connects to nothing yet.

        Args:
            ledger: the station's ledger, which has the items that are corrected.

        Raises:
            ReceiverSetupError: a password, a token or a certificate cannot be read.
        """
        headers = dict(_HEADERS)
        if settings.token_file is not None:
            token = read_token(settings.token_file, "publish.epcis.token_file")
            headers["Authorization"] = f"Bearer {token}"
        elif settings.username is not None and settings.password_file is not None:
            password = read_secret(settings.password_file, "publish.epcis.password_file")
            headers["Authorization"] = basic(settings.username, password)
        self._client = HttpClient(
            settings.url, headers=headers, ca_file=settings.ca_file, key="publish.epcis.ca_file"
        )
        self._url = urlsplit(settings.url)
        self._ledger = ledger
        self._settled, self._closing = Settled(), threading.Event()
        self._job: _Job | None = None
        """The job that the repository had not finished at the last attempt."""

    def send(self, entries: Sequence[Entry]) -> Sequence[Refused]:
        """See `Receiver`: one document for all, or one for each where something is refused."""
        events: list[tuple[Entry, list[dict[str, Any]]]] = []
        for entry in self._settled.begin(entries):
            if entry.kind in _TAKES:
                try:
                    events.append((entry, self._events(entry)))
                except _Unknown as error:
                    self._settled.settle(entry, str(error))
        if self._job is not None and events:
            of_it = [one for one in events if one[0].id in self._job.ids]
            if len(of_it) == len(self._job.ids):
                self._capture(of_it)
                events = [one for one in events if one not in of_it]
            else:
                self._job = None  # the outbox has dropped some of them: it is no outcome of these
        self._capture(events)
        return self._settled.end(entries)

    def close(self) -> None:
        """See `Receiver`."""
        self._closing.set()

    def _capture(self, events: Sequence[tuple[Entry, list[dict[str, Any]]]]) -> None:
        if not events:
            return
        self._settled.check_time()
        why = self._why_refused(events)
        if why is None or len(events) == 1:
            for entry, _ in events:
                self._settled.settle(entry, why)
            return
        half = len(events) // 2  # what is refused is soon alone, and the rest is not
        self._capture(events[:half])
        self._capture(events[half:])

    def _why_refused(self, events: Sequence[tuple[Entry, list[dict[str, Any]]]]) -> str | None:
        """Why the document of `events` was refused; None if it was captured.

        Raises:
            ReceiverUnavailable: that is not known yet.
        """
        if self._job is None:
            found = [event for _, of_it in events for event in of_it]
            head = document_head(datetime.now(UTC))
            document = {**head, "epcisBody": {"eventList": found}}
            answer = self._client.ask("POST", "/capture", document)
            if answer.status == _CONFLICT and len(found) == 1:
                return None
            if answer.status == _CONFLICT:  # rolled back: what is new was not captured either
                return f"the repository has an event of the same eventID: {answer.reason}"
            if not answer.done:
                return answer.reason
            path = self._path_of_job(answer)
            if path is None:
                return None
            self._job = _Job(path, frozenset(entry.id for entry, _ in events))
        why = self._outcome(self._job)
        self._job = None
        return why

    def _outcome(self, job: _Job) -> str | None:
        """Why a capture job failed; None if it did not, or if the repository does not tell of its
        jobs.

        Raises:
            ReceiverUnavailable: that is not known yet.
        """
        for _ in range(round(_JOB_SECONDS / _JOB_PAUSE)):
            self._settled.check_time()
            answer = self._client.ask("GET", job.path, whole_path=True, taken=_NO_JOB)
            if not answer.done and job.was_running:
                self._job = None
                raise ReceiverUnavailable(
                    "the repository no longer knows the capture job that it was working on "
                    f"({answer.reason}), and is sent the same document again"
                )
            found = answer.value
            if not answer.done or not isinstance(found, dict) or "running" not in found:
                return None
            running, success = found["running"], found.get("success", True)
            if not isinstance(running, bool) or not isinstance(success, bool):
                raise ReceiverUnavailable(
                    "the repository tells of its capture job what is neither true nor false: "
                    f"{answer.reason}"
                )
            if not running:
                said = str(found.get("errors") or "the capture job failed")
                return None if success else said[:_LONGEST_REASON]
            job.was_running = True
            if self._closing.wait(_JOB_PAUSE):
                break
        raise ReceiverUnavailable("the repository is still working on what it was sent")

    def _path_of_job(self, answer: HttpAnswer) -> str | None:
        """The path at which the repository tells of a document's capture job; None if there is
        none."""
        location = answer.headers.get("Location")
        if answer.status != _ACCEPTED or not location:
            return None
        try:
            found = urlsplit(urljoin(f"{self._url.geturl()}/capture", location))
        except ValueError as error:
            _log.debug(f"epcis: the address of a capture job, {location!r}, is none: {error}")
            return None
        path, base = found.path, self._url.path
        if found.netloc != self._url.netloc and not path.startswith(f"{base}/"):
            path = base + path  # as it is known behind a proxy; we ask nobody but the proxy
        return quote(path + (f"?{found.query}" if found.query else ""), safe=_OF_A_PATH)

    def _events(self, entry: Entry) -> list[dict[str, Any]]:
        """The events of an entry.

        Raises:
            _Unknown: it corrects an item that is not in the ledger.
            ReceiverUnavailable: the ledger cannot be read now.
        """
        if entry.kind == "item":
            row = dict.fromkeys(COLUMNS) | dict(entry.payload)
            row["quantity"] = row["quantity"] or 1
            return list(object_events(ExportedItem(row, None)))
        try:
            item = find_item(self._ledger, entry.payload["item_id"])
        except (LedgerMissingError, UsageError):
            item = None
        except LedgerError as error:
            raise ReceiverUnavailable(str(error)) from error
        numbers = [] if item is None else [one.id for one in item.corrections]
        if item is None or entry.id not in numbers:
            raise _Unknown("what it corrects is not in the ledger, which was set aside perhaps")
        so_far = item.corrections[: numbers.index(entry.id) + 1]
        row = {**item.row, "photograph_gone": None}  # as it was when the item was sent
        return list(object_events(ExportedItem(row, item.raw_scores, so_far)))[-2:]


@dataclass(slots=True)
class _Job:
    """The capture job of a repository, for a document that it did not capture at once."""

    path: str
    """The path of the job, from the root of the server."""
    ids: frozenset[str]
    """The ids of the entries in the document."""
    was_running: bool = False
    """Whether the repository has told of it."""


class _Unknown(Exception):  # noqa: N818
    """An entry of which no EPCIS event can be made."""


def open_receiver(settings: EpcisSettings, surroundings: Surroundings) -> EpcisReceiver:
    """See `edge/publish/receivers.py`."""
    return EpcisReceiver(settings, surroundings.ledger)
