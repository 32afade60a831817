"""A station that has something on every page, and the scenes that a browser looks at."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from edge.core.verdict import RejectReason
from edge.events import IncidentRaised, ItemSorted, Stamps, utc_text
from edge.ledger.upkeep.reviewing import ReviewDecision, review
from edge.receiving.code import read_code
from edge.receiving.delivery import Line
from edge.receiving.desk import Desk
from edge.receiving.scan import Scan
from edge.receiving.store import Deliveries
from edge.samples.photograph_store import photograph_file
from edge.telemetry.newest_log import LogLine
from edge.telemetry.status import StateSigns, StatusReading
from edge.web.doors import DOORS
from edge.web.notices import PageNotice
from edge.web.plan import LearningForecast, ModelFacts
from tests.edge.ledger.entries import entry
from tests.edge.receiving.goods_lists import SHOE, UNKNOWN, goods
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import NOON, SEEN, Pages

LONG = "corrugated-cardboard-box-with-adhesive-tape"
LANES = {"metal": ("can",), "glass": ("bottle",), f"bales-of-{LONG}": (LONG,), "rest": ()}
MODEL = ModelFacts(
    digest=SIGNS.model_digest, accuracy=0.94, interval=(0.91, 0.96), images=300,
    input_size=(224, 224), forecast=LearningForecast(more=50, gain=0.02, low=0.01, high=0.03),
)  # fmt: skip
NAMES = {"id": {"can": "kaleng", "bottle": "botol", LONG: "kotak karton bergelombang berperekat"}}


class Scene(NamedTuple):
    """A page as it is now and then."""

    name: str
    path: str
    prepare: Callable[[Pages], str | None] = lambda pages: None
    """Changes the station before the page is opened, from where it is well; a path that it gives
    is opened in place of the scene's."""
    act: str = ""
    """A script that sends a form of the page: what is looked at then is the answer; empty: none."""


def gallery(folder: Path) -> Pages:
    """Pages of a station that has sorted, whose clock hardly moves."""
    pages = Pages(
        folder, lanes=LANES, names=NAMES, kept="all", share=0.0, kept_days=30.0,
        kept_megabytes=1000.0, moving=("metal", f"bales-of-{LONG}"), model=MODEL,
    )  # fmt: skip
    reasons = list(RejectReason)
    found = [photographed(pages, number, label="can") for number in range(1, 12)]
    found.append(photographed(pages, 12, label=LONG, lane=f"bales-of-{LONG}"))
    found += [
        photographed(pages, number, label=("bottle", "can")[number % 2], accepted=False,
                     reject=reason, lane="rest", confidence=0.41)
        for number, reason in enumerate(reasons, start=20)
    ]  # fmt: skip
    pages.write([*found, entry(90)])
    decisions = [ReviewDecision(entry(number).id, "can", drawn=True) for number in (1, 2, 3)]
    review(pages.plan.ledger, decisions, LANES, who="Ana", wall=lambda: pages.now)
    lines = (
        Line(number=1, sku="SH", gtin="04006381333931", label="adidas", expected=8, pack_size=6,
             description="Running shoe, white, size 42, in a box of recycled cardboard"),
        Line(number=2, sku="SO-7", gtin="00000096385074", label="sock", lot="L7", expected=2),
    )  # fmt: skip
    with Deliveries(pages.plan.deliveries) as deliveries:
        desk = Desk(deliveries, Stamps("bin-1", lambda: pages.now), "station")
        desk.import_goods(
            [goods(*lines, delivery="short"), goods(*lines, delivery="blind", blind=True),
             goods(*lines, delivery="ASN-2026-11-21-0000000000000000000000000042"),
             goods(*lines, delivery="D1")], "goods.csv",
        )  # fmt: skip
        for name in ("short", "blind", "D1"):
            desk.open(name)
            desk.scan(name, Scan(code=read_code(SHOE)))
            if name == "short":
                desk.close(name, as_counted=True, back_order=True)
        desk.scan("D1", Scan(code=read_code(UNKNOWN)))
        desk.scan("D1", Scan(code=read_code(SHOE), seen="nike"))
    return pages


def guarded(folder: Path) -> Pages:
    """Pages of a station that has sorted nothing and shows no live picture, where people sign in:
    Ana, an operator."""
    pages = Pages(folder, lanes=LANES, kept="rejected", share=0.02, kept_days=30.0, live=False)
    pages.account("Ana")
    return pages


def photographed(pages: Pages, number: int, **changes: Any) -> ItemSorted:
    """An item, with a drawn photograph."""
    found = entry(number, time=utc_text(NOON - 600 + number), **changes)
    found = replace(found, photograph=photograph_file(found.id))
    file = pages.plan.photographs / str(found.photograph)
    file.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((120, 160, 3), 90, np.uint8)
    cv2.circle(image, (80, 60), 20 + number % 30, (40, number * 7 % 255, 200), -1)
    file.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    return found


def well(pages: Pages) -> None:
    """The station sorts, and shows what it sees."""
    pages.reading = StatusReading(status(pages.plan.ledger), 0.4)
    pages.control.shown = {"state": "Execute", "mode": "Production"}
    pages.control.seen = {**SEEN, "jpeg": _belt()}
    pages.control.lines = [
        LogLine(utc_text(NOON), "warning", f"warning    the lane bales-of-{LONG} was moved late"),
        LogLine(utc_text(NOON - 60), "info", "camera     usb, trigger motion"),
    ]


@cache
def _belt() -> str:
    """A picture of a camera: something on a grey belt."""
    image = np.full((480, 640, 3), 105, np.uint8)
    cv2.rectangle(image, (210, 160), (270, 230), (40, 160, 220), -1)
    return base64.b64encode(cv2.imencode(".jpg", image)[1].tobytes()).decode("ascii")


def maintained(pages: Pages) -> None:
    """The station is in maintenance."""
    state = StateSigns(state="Stopped", mode="Maintenance", since="2026-11-21T16:00:00.000000Z")
    signs = replace(SIGNS, state=state)
    pages.reading = StatusReading(status(pages.plan.ledger, signs=signs), 0.4)
    pages.control.shown = {"state": "Stopped", "mode": "Maintenance"}
    pages.control.levels = [
        {"kind": kind, "lane": lane, "pin": pin, "active_high": False, "active": active}
        for kind, lane, pin, active in (
            ("home", "metal", 16, True), ("end", f"bales-of-{LONG}", 17, False),
            ("emergency_stop", "", 26, False), ("beam", "", 25, None),
        )
    ]  # fmt: skip


def _stands(pages: Pages) -> None:
    pages.control.shown = {"state": "Held", "reason": "jam", "scope": f"bales-of-{LONG}"}
    pages.reading = StatusReading(
        status(pages.plan.ledger, signs=replace(SIGNS, camera_lost=True, items_spilled=3)), 0.4
    )


def _emergency(pages: Pages) -> None:
    pages.control.shown = {"state": "Aborted", "reason": "emergency_stop"}


def _gone(pages: Pages) -> None:
    pages.reading, pages.control.shown = None, None


def jam(pages: Pages) -> IncidentRaised:
    """An incident that waits for somebody."""
    stamps = Stamps("bin-1", lambda: NOON - 60)
    return IncidentRaised(*stamps.now(), "jam", "glass", "stuck", "clear it", "reset")


SCENES = (
    *(
        Scene(door.path, door.path)
        for door in DOORS
        if door.method == "GET" and door.is_page and door.path != "/delivery/report"
    ),
    Scene("station that stands", "/", _stands),
    Scene("station that does not run", "/", _gone),
    Scene("health of a station with troubles", "/health", _stands),
    Scene("health of no station", "/health", _gone),
    Scene("history of rejected items", "/history?verdict=rejected&from=x"),
    Scene("sweep", "/review?sweep=can"),
    Scene("delivery that was closed", "/delivery?name=short"),
    Scene("delivery counted blind", "/delivery?name=blind"),
    Scene("report of a delivery", "/delivery/report?name=short"),
    Scene("region drawn", "/teach/region?left=100&top=20&width=400&height=400"),
    Scene("region that does not fit", "/teach/region?left=400&top=100&width=300&height=200"),
    Scene("lanes in maintenance", "/teach/lanes", maintained),
    Scene("teach without a station", "/teach", _gone),
    Scene("nowhere", "/nowhere"),
)
"""Every page that a door has, and what else they may show."""
_SIGN = (
    "document.querySelector('#name').value = 'Ana';"
    "document.querySelector('#password').value = 'something else';"
)
_SEND = "document.querySelector('main form').requestSubmit()"


def _guessed(pages: Pages) -> None:
    """Somebody has guessed so often that all must wait."""
    for _ in range(100):
        pages.site.guesses.begin("127.0.0.1", "Ana", "")


def _told(kind: str, **more: Any) -> Callable[[Pages], str]:
    """A page with something that is said on it."""
    return lambda pages: (
        "/deliveries?said="
        + pages.site.notices.keep(PageNotice(kind, f"What is said of {LONG}: {kind}", **more))
    )


SIGNED_OUT = (
    Scene("sign-in", "/health"),
    Scene("wrong password", "/sign-in", act=_SIGN + _SEND),
    Scene("too many wrong passwords", "/sign-in", _guessed, _SIGN + _SEND),
    Scene("nowhere for who is not signed in", "/nowhere"),
)
"""What somebody sees who has not signed in, at a station where that is needed."""
AS_OPERATOR = (
    Scene("form out of date", "/", act=(
        "document.querySelector('#commands [name=token]').value = 'x';"
        "document.querySelector('#commands button').click()"
    )),
    Scene("not allowed", "/history/export?format=csv"),
    Scene("station of an operator", "/"),
    Scene("lanes of an operator", "/teach/lanes"),
    Scene("stop", "/deliveries", _told("stop", detail="The code is of other goods.")),
    Scene("put aside", "/deliveries", _told("aside")),
    Scene("choose", "/deliveries", _told("choose", code="1", choices=((1, LONG), (2, "sock")))),
    Scene("refused", "/deliveries", _told("refused", detail="The station did not answer.")),
    Scene("done", "/deliveries", _told("done", foreign=True)),
    Scene("nothing to review", "/review"),
    Scene("nothing sorted", "/history"),
    Scene("teach without a live picture", "/teach"),
    Scene("region without a live picture", "/teach/region"),
    Scene("pictures of people at a station that shows none", "/health/pictures"),
    Scene("emergency stop for an operator", "/", _emergency),
)  # fmt: skip
"""What an operator sees at a station that has sorted nothing, beside what an admin sees."""
FEW = tuple(
    scene for scene in SCENES if scene.name in ("/delivery", "/review", "station that stands")
)
"""Those that are looked at with every change."""
