"""Where pages are, and who may use each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from starlette.responses import Response

from edge.web.pages import (
    delivery,
    health,
    history,
    lanes,
    photographs,
    picture,
    region,
    review,
    signing,
    station,
    streams,
    teach,
)
from edge.web.visit import Visit


class Right(IntEnum):
    """Who may use a door; each may use those below, too."""

    ANYONE = 0
    OPERATOR = 1
    ADMIN = 2


@dataclass(frozen=True, slots=True)
class Door:
    """One method of one address."""

    method: str
    path: str
    answer: Callable[[Visit], Response]
    right: Right = Right.OPERATOR
    is_page: bool = True
    """Whether a person sees the answer, and is led to the sign-in where that is needed."""


DOORS = (
    Door("GET", "/static/{name}", streams.static_file, Right.ANYONE, is_page=False),
    Door("GET", "/sign-in", signing.ask, Right.ANYONE),
    Door("POST", "/sign-in", signing.sign_in, Right.ANYONE),
    Door("POST", "/sign-out", signing.sign_out),
    Door("POST", "/language", signing.choose_language, Right.ANYONE),
    Door("GET", "/events", streams.events, is_page=False),
    Door("GET", "/photographs/{item}", streams.photograph, is_page=False),
    Door("GET", "/picture", picture.newest, is_page=False),
    Door("GET", "/", station.show),
    Door("POST", "/pause", station.pause),
    Door("POST", "/resume", station.resume),
    Door("POST", "/reset", station.reset),
    Door("POST", "/clear", station.clear, Right.ADMIN),
    Door("GET", "/delivery", delivery.show),
    Door("GET", "/deliveries", delivery.listed),
    Door("POST", "/delivery/open", delivery.open_it),
    Door("POST", "/delivery/scan", delivery.scan),
    Door("POST", "/delivery/correct", delivery.correct),
    Door("POST", "/delivery/undo", delivery.undo),
    Door("POST", "/delivery/close", delivery.close),
    Door("POST", "/delivery/reopen", delivery.reopen, Right.ADMIN),
    Door("GET", "/delivery/report", delivery.report),
    Door("GET", "/delivery/report.csv", delivery.report_as_csv, is_page=False),
    Door("GET", "/review", review.show),
    Door("POST", "/review/decide", review.decide),
    Door("POST", "/review/sweep", review.sweep),
    Door("POST", "/review/skip", review.skip),
    Door("POST", "/review/undo", review.undo),
    Door("GET", "/teach", teach.show),
    Door("POST", "/teach/take", teach.take),
    Door("POST", "/teach/discard", teach.discard),
    Door("GET", "/teach/region", region.show),
    Door("GET", "/teach/lanes", lanes.show),
    Door("POST", "/teach/lanes/begin", lanes.begin, Right.ADMIN),
    Door("POST", "/teach/lanes/move", lanes.move, Right.ADMIN),
    Door("POST", "/teach/lanes/end", lanes.end, Right.ADMIN),
    Door("GET", "/history", history.show),
    Door("GET", "/history/export", history.export, Right.ADMIN, is_page=False),
    Door("GET", "/health", health.show),
    Door("GET", "/health/pictures", photographs.show),
)
"""Every address of the pages. A test asks for each of them with and without each right."""
