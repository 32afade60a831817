"""One request to a page: who sends it, in which language, and what it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from edge.core.errors import PilahError
from edge.events import utc_text
from edge.state.machine import Mode
from edge.web.language.languages import Language
from edge.web.live import SILENT_SECONDS, Beat
from edge.web.notices import PageNotice
from edge.web.people.accounts import Role
from edge.web.people.presses import new_press
from edge.web.people.tokens import form_token
from edge.web.plan import ModelFacts
from edge.web.site import Site
from edge.web.words.answers import StationWords, station_words
from edge.web.words.reasons import reject_words, state_words

NAVIGATION = (
    ("/", "Station"),
    ("/delivery", "Delivery"),
    ("/review", "Review"),
    ("/teach", "Teach"),
    ("/history", "History"),
    ("/health", "Health"),
)
"""The pages that can be gone to from each other, and their names."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who sends a request."""

    name: str
    role: Role
    signed_in: bool
    """False: nobody needs to sign in, because the pages are for this machine alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request that may be answered."""

    request: Request
    site: Site
    language: Language
    person: Person | None
    """None: somebody who has not signed in, at a page that is for anyone."""
    seat: str
    """The mark of the browser; see `edge/web/people/tokens.py`."""
    session: str
    key: bytes
    form: Mapping[str, str]
    """What a form sent; the last value of each name."""

    @property
    def who(self) -> str:
        """The name that is written down with what is done."""
        assert self.person is not None
        return self.person.name

    @property
    def is_admin(self) -> bool:
        """Whether all is allowed."""
        return self.person is not None and self.person.role is Role.ADMIN

    @property
    def query(self) -> Mapping[str, str]:
        """What the address has behind its question mark; the last value of each name."""
        return self.request.query_params

    @property
    def model(self) -> ModelFacts | None:
        """What is known of the model that sorts; None: nothing now."""
        return self.site.model.facts(self.site.live.beat().model_digest)

    def repeated(self) -> PageNotice | None:
        """What is said of a form that was sent from its page a second time, and is not to be done
        again; None: it is the first one. To be asked once."""
        if not self.site.presses.is_repeated(self.form.get("press", "")):
            return None
        text = self.language.gettext("You were quicker than the page: of two presses one counts.")
        return PageNotice("done", text)

    @property
    def address(self) -> str:
        """The page that is asked for with what it was filtered by, without what was said on it."""
        query = [(name, value) for name, value in self.request.query_params.multi_items()
                 if name != "said"]  # fmt: skip
        return f"{self.request.url.path}{'?' if query else ''}{urlencode(query)}"

    def page(self, template: str, *, code: int = 200, **values: object) -> HTMLResponse:
        """The page that a template makes of `values`, and of what every page shows."""
        site, beat = self.site, self.site.live.beat()
        now = site.wall()
        whole = {
            "gettext": partial(_written, self.language.gettext),
            "ngettext": partial(_counted, self.language.ngettext),
            "say": Sayer(self),
            "language": self.language,
            "languages": site.languages.values(),
            "station": site.plan.station,
            "person": self.person,
            "is_admin": self.is_admin,
            "token": form_token(self.key, self.seat, self.session),
            "press": new_press(),
            "navigation": NAVIGATION,
            "here": self.request.url.path,
            "address": self.address,
            "said": self.query.get("said", ""),
            "files": site.files,
            "beat": beat,
            "silent_seconds": SILENT_SECONDS,
            "now": utc_text(now),
            "state": self._state(beat),
            "maintenance": self._is_maintained(beat),
            "reason": lambda reason: reject_words(reason, self.language.gettext),
            **values,
        }
        found = site.templates.get_template(template).render(whole)
        return HTMLResponse(found, code, headers={"Content-Language": self.language.code})

    @staticmethod
    def _is_maintained(beat: Beat) -> bool:
        """Whether the station runs in a mode in which nothing is sorted."""
        signs = None if beat.reading is None or beat.is_silent else beat.reading.status.signs
        return signs is not None and signs.state is not None and signs.state.mode != Mode.PRODUCTION

    def _state(self, beat: Beat) -> str:
        if beat.reading is None or beat.age_seconds is None:
            return self.language.gettext("Not running")
        if beat.is_silent:
            return self.language.gettext("Silent")
        return state_words(beat.reading.status.state, self.language.gettext)

    def station_words(self, error: PilahError) -> StationWords:
        """Why the station refused something, or did not answer."""
        return station_words(error, self.language.gettext, Sayer(self).name)

    def go(self, path: str) -> RedirectResponse:
        """Has the browser go to another page, by GET."""
        return RedirectResponse(path, 303)


def _written(translate: Callable[[str], str], text: str, **values: object) -> Markup:
    """A text of the pages with values in it, which are escaped as everything is."""
    return Markup(translate(text)) % values


def _counted(
    translate: Callable[[str, str, int], str], one: str, many: str, num: int, **values: object
) -> Markup:
    """A text of the pages that depends on a number."""
    return Markup(translate(one, many, num)) % {"num": num, **values}


class Sayer:
    """How values are written on a page, in the language of a visit."""

    def __init__(self, visit: Visit) -> None:
        """Writes in the language of `visit`."""
        language = visit.language
        self.number, self.percent = language.number, language.percent
        self.clock, self.moment = language.clock, language.moment
        self.day, self.hour = language.day, language.hour
        self._names = visit.site.plan.names.get(language.code, {})

    def name(self, label: str | None) -> str:
        """What a label or a lane is called; a dash for None."""
        return "–" if label is None else self._names.get(label, label)
