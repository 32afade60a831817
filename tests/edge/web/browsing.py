"""The pages of a made-up station, and browsers that visit them, for tests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from edge.control.messages import ControlCommand
from edge.core.errors import ControlRefusedError, ControlUnreachableError
from edge.core.terminal.sentence import Sentence
from edge.events import Event
from edge.ledger.ledger import Ledger
from edge.telemetry.newest_log import LogLine
from edge.telemetry.status import StatusReading
from edge.web.app import make_app
from edge.web.control import StationControl
from edge.web.live import Live
from edge.web.people import accounts
from edge.web.people.accounts import Role, set_password
from edge.web.plan import WebPlan
from edge.web.site import Site
from tests.edge.ledger.entries import entry
from tests.edge.telemetry.statuses import status

PASSWORD = "correct horse"
NOON = datetime(2026, 11, 21, 23, 30).timestamp()
"""When the pages are visited: half an hour after the items of `entries`, whose times are UTC."""

TAUGHT: Mapping[str, Any] = {
    "folder": "/var/lib/pilah/ledger-taught", "crop": "region", "counts": {"can": 3, "cork": 120},
    "unusable": "", "outcomes": [], "can_discard": True,
}  # fmt: skip
"""What a station tells of labelled pictures, as `LabelledPictures.facts` has it."""
SEEN: Mapping[str, Any] = {
    "jpeg": "/9j/", "age_seconds": 0.1, "width": 640, "height": 480,
    "region": [100, 80, 400, 300], "boxes": [[200, 150, 80, 90]], "count": 1,
}  # fmt: skip
"""What it shows of its camera, as `LivePicture.newest` has it."""

# What a password is worth is argon2's own matter; here it must only be quick.
accounts._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class MadeUpControl(StationControl):
    """The socket of a station that is not there.

    Attributes:
        shown: the state that it tells; None: nobody answers.
        refusal: why it takes no command; empty: it takes any.
        taken: the commands that it took, with the name of who gave each.
        seen: the picture that it shows; empty: none.
        taught: what it tells of labelled pictures.
        outcome: what comes of an order, where that is not a success.
        answers: whether somebody hears there.
        lines: what it tells of its log; None: nothing.
        levels: what it tells of its inputs; None: nothing.
    """

    def __init__(self) -> None:
        self.shown: Mapping[str, Any] | None = None
        self.refusal: str | Sentence = ""
        self.taken: list[tuple[str, str]] = []
        self.seen: Mapping[str, Any] = {}
        self.taught: dict[str, Any] = deepcopy(dict(TAUGHT))
        self.outcome: dict[str, Any] = {}
        self.answers = True
        self.lines: Sequence[LogLine] | None = None
        self.levels: Sequence[Mapping[str, Any]] | None = None

    def state(self, who: str) -> Mapping[str, Any] | None:
        return self.shown

    def picture(self, who: str) -> Mapping[str, Any]:
        return self.seen

    def log(self, who: str) -> Sequence[LogLine] | None:
        return self.lines

    def inputs(self, who: str) -> Sequence[Mapping[str, Any]] | None:
        return self.levels

    def told(self, command: ControlCommand, who: str, *, label: str = "") -> Mapping[str, Any]:
        if not self.answers:
            raise ControlUnreachableError("the station bin-1 does not run")
        if command is ControlCommand.TAUGHT:
            return self.taught
        self.taken.append((f"{command} {label}".strip(), who))
        order = len(self.taught["outcomes"]) + 1
        outcome = {"order": order, "label": label, "failure": "", "said": "", "faults": []}
        self.taught["outcomes"] = [*self.taught["outcomes"], {**outcome, **self.outcome}]
        return {"order": order}

    def command(
        self, command: ControlCommand, who: str, *, mode: str = "", lane: str = "",
        seconds: float | None = None,
    ) -> None:  # fmt: skip
        if self.refusal:
            raise ControlRefusedError(self.refusal)
        self.taken.append((" ".join(filter(None, (command, mode, lane))), who))
        if mode and self.shown is not None:
            self.shown = {**self.shown, "mode": mode}
        if command is ControlCommand.STOP:
            self.shown = {**(self.shown or {}), "state": "Stopped"}


class Pages:
    """The pages of the station `bin-1` in a folder.

    Attributes:
        reading: what its status is, in place of a file's; None: it does not run.
        now: seconds since 1970, and on the monotonic clock.
    """

    def __init__(self, folder: Path, **changes: Any) -> None:
        ledger = folder / "ledger.sqlite"
        self.plan = replace(
            WebPlan(
                station="bin-1",
                ledger=ledger,
                deliveries=folder / "ledger-deliveries.sqlite",
                photographs=folder / "ledger-photographs",
                accounts=folder / "ledger-accounts" / "accounts.json",
                lanes={"metal": ("can",), "glass": ("bottle",), "rest": ()},
            ),
            **changes,
        )
        self.reading: StatusReading | None = StatusReading(status(ledger), 0.4)
        self.now = NOON
        self.control = MadeUpControl()
        self._site: Site | None = None

    @property
    def site(self) -> Site:
        if self._site is None:
            live = Live(self.plan, read=lambda station, ledger: self.reading, clock=self._clock)
            self._site = Site(self.plan, live=live, wall=lambda: self.now, clock=self._clock)
            self._site.control = self.control
        return self._site

    def _clock(self) -> float:
        self.now += 0.125  # so that each look is a new one
        return self.now

    def write(self, events: Sequence[Event]) -> None:
        """Has the ledger of the station hold `events`."""
        with Ledger(self.plan.ledger) as ledger:
            ledger.append(events)

    def account(self, name: str, role: Role = Role.OPERATOR) -> None:
        set_password(self.plan.accounts, name, PASSWORD, role)

    def browser(self, name: str | None = None, *, language: str = "en") -> Browser:
        """A browser, in which a person has signed in; None: nobody has."""
        found = Browser(self, language)
        if name is not None:
            answer = found.post("/sign-in", {"name": name, "password": PASSWORD}, on="/sign-in")
            assert answer.status_code == 303, answer.text
        return found


class Browser:
    """Keeps cookies, follows no redirect, and sends the token of the page that it was on."""

    def __init__(self, pages: Pages, language: str = "en") -> None:
        self.client = TestClient(
            make_app(pages.site), base_url="http://localhost", follow_redirects=False,
            headers={"Accept-Language": language},
        )  # fmt: skip

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self.client.get(path, headers=headers)

    def post(
        self, path: str, form: Mapping[str, str] | None = None, *, on: str = "/", **headers: str
    ) -> httpx2.Response:
        """Sends a form of the page at `on`."""
        found = re.search(r'name="token" value="([^"]+)"', self.get(on).text)
        token = {} if found is None else {"token": found[1]}
        return self.client.post(path, data={**token, **(form or {})}, headers=headers)


def items(count: int) -> list[Event]:
    """So many accepted items."""
    return [entry(number) for number in range(1, count + 1)]
