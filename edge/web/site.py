"""What all visits to the pages share, made once."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from edge.ledger.export.counting import ItemCounts
from edge.ledger.reports.last_run import START_FAILED
from edge.ledger.reports.open_incidents import OpenIncident, OpenIncidents
from edge.web.control import StationControl
from edge.web.guard import is_loopback
from edge.web.language.languages import Language, read_languages
from edge.web.live import Beat, Live
from edge.web.notices import Notices
from edge.web.people.accounts import Accounts
from edge.web.people.guesses import Guesses
from edge.web.people.presses import Presses
from edge.web.people.sessions import Sessions
from edge.web.plan import WebPlan
from edge.web.review_queue import ReviewQueue
from edge.web.watch.sorting_model import SortingModel

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file that pages need, held in memory."""

    content: bytes
    kind: str
    mark: str
    """Changes with the content, so that a browser may keep the file for ever."""


@cache
def _static_files() -> Mapping[str, StaticFile]:
    return {
        file.name: StaticFile(
            raw := file.read_bytes(), _KINDS[file.suffix], hashlib.sha256(raw).hexdigest()[:12]
        )
        for file in sorted(STATIC.iterdir())
        if file.suffix in _KINDS
    }


@cache
def _templates() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,  # of everything: no text of a person or a file is ever markup
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in found.list_templates():
        found.get_template(name)  # made ready now, so that nobody's first page waits for it
    return found


class Site:
    """The pages of one station, without those who visit them.

    Attributes:
        open_here: whether nobody needs to sign in: the pages are for this machine alone. It counts
            only as long as there are no accounts.
        key: what forms are marked by while there are no accounts.
    """

    def __init__(
        self,
        plan: WebPlan,
        *,
        live: Live | None = None,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reads templates, files and languages.

        Args:
            live: looks at the station; None: by its status file.
            wall: seconds since 1970.
            clock: seconds, monotonic.
        """
        self.plan, self.wall = plan, wall
        self.live = live or Live(plan)
        self.accounts = Accounts(plan.accounts)
        self.hour_counts, self.day_counts = ItemCounts(plan.ledger), ItemCounts(plan.ledger)
        self.notices, self.review = Notices(), ReviewQueue(plan)
        self.presses = Presses()
        self._incidents = OpenIncidents(plan.ledger)
        self.model = SortingModel(plan)
        self.control = StationControl(plan.station, plan.ledger)
        self.sessions, self.guesses = Sessions(plan.sessions, wall), Guesses(clock)
        self.open_here = is_loopback(plan.host)
        self.key = secrets.token_bytes(32)
        self.languages: Mapping[str, Language] = read_languages()
        self.files = _static_files()
        self.templates = _templates()

    def open_incidents(self, beat: Beat) -> Sequence[OpenIncident]:
        """The open incidents, the oldest first; of a station that does not run that alone for which
        it could not be started, as nobody knows how it is with the others.

        Args:
            beat: a look at the station.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        found = self._incidents.now()
        return [one for one in found if one.name == START_FAILED] if beat.is_silent else found
