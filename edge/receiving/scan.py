"""The answer to a scan, or to an item that the station saw: one scan, one piece. Pure.

There is exactly one answer: counted, counted as a pack of N, several lines (choose), not on this
delivery (put aside), or the picture shows something else (stop). The code of a container has an
answer of its own: the container arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.core.errors import UsageError
from edge.core.terminal.sentence import Sentence
from edge.events import Stamp
from edge.receiving import asides
from edge.receiving.code import Code, is_pack_of
from edge.receiving.delivery import Line
from edge.receiving.events import (
    ContainerArrived,
    DeliveryEvent,
    PictureDisagreed,
    PieceCounted,
    PutAside,
)
from edge.receiving.state import DeliveryState

RULE = (
    "One scan, one piece. The code of a pack counts the pieces in the pack. Nothing is counted "
    "before it is scanned or seen."
)
"""The rule for counting, which is printed wherever counting begins, and on the report."""

SCAN_FIRST = (
    "scan a code, then put its piece in: the scan chooses the lane of the one item that comes "
    "within {seconds:g} seconds. With two pieces in view, or two scans before one, the picture does"
)
"""Is said by a station with a hand scanner when it starts."""

NO_CODE = Code("")


class Reply(StrEnum):
    """The kinds of answers to a scan."""

    COUNTED = "counted"
    PACK = "counted as a pack"
    SEVERAL = "several lines"
    NOT_HERE = "not on this delivery"
    STOP = "picture says otherwise"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What is to be counted: a code, a line that a person named, or an item that was seen."""

    code: Code = NO_CODE
    times: int = 1
    """Pieces, or packs where the code is that of a pack."""
    line: int | None = None
    """The number of the line that a person chose; None if nobody chose one."""
    seen: str | None = None
    """The label that the station accepted for the piece; None if it did not see the piece."""
    trained: Collection[str] | None = None
    """The labels that the station's model knows; None for any. If the label of the line is not
    among them, the picture cannot contradict the code."""
    item_id: str | None = None
    scan_id: str | None = None
    replaces: str | None = None
    """`item_id`, `scan_id` and `replaces` are those of PieceCounted."""
    photograph: str | None = None

    def is_contradicted(self, line: Line) -> bool:
        """Whether the picture shows something else than the article of the line."""
        able = self.trained is None or line.label in self.trained
        return None not in (self.seen, line.label) and self.seen != line.label and able


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a scan."""

    reply: Reply
    scan: Scan
    lines: tuple[Line, ...] = ()
    """The line on which it is counted, the lines to choose from, or those of the container."""
    packs: int = 0
    pieces: int = 0
    serial: str | None = None
    reason: str = ""
    """Why the piece is to be put aside."""

    def event(self, stamp: Stamp, delivery: str, by: str) -> DeliveryEvent | None:
        """The event to be written for this answer; None if a person must choose a line first."""
        head, scan, code = (*stamp, delivery, by), self.scan, self.scan.code
        source: dict[str, Any] = {"item_id": scan.item_id, "scan_id": scan.scan_id}
        piece = {**source, "replaces": scan.replaces, "photograph": scan.photograph}
        match self.reply:
            case Reply.COUNTED | Reply.PACK:
                return PieceCounted(
                    *head,
                    line=self.lines[0].number,
                    pieces=self.pieces,
                    code=code.text,
                    packs=self.packs,
                    serial=self.serial,
                    lot=code.lot,
                    expiry=code.expiry,
                    container=self.lines[0].container,
                    **piece,
                )
            case Reply.NOT_HERE:
                return PutAside(
                    *head,
                    reason=self.reason,
                    pieces=scan.times,
                    code=code.text,
                    label=scan.seen,
                    **piece,
                )
            case Reply.STOP:
                return PictureDisagreed(
                    *head,
                    line=self.lines[0].number,
                    code=code.text,
                    seen=scan.seen or "",
                    **piece,
                )
            case Reply.CONTAINER:
                return ContainerArrived(*head, sscc=code.sscc or "", **source)
        return None

    def words(self, after: DeliveryState) -> str:
        """The answer as a sentence.

        Args:
            after: the delivery with the answer's event.
        """
        match self.reply:
            case Reply.COUNTED | Reply.PACK:
                return self._counted(after)
            case Reply.SEVERAL:
                found = "; ".join(f"line {line.number}: {title(line)}" for line in self.lines)
                return f"several lines: choose one of {found}. Nothing was counted"
            case Reply.NOT_HERE:
                return f"not on this delivery, put it aside: {self.reason}"
            case Reply.STOP:
                return (
                    f"STOP: the code says {self.lines[0].label} ({title(self.lines[0])}), but "
                    f"the picture shows {self.scan.seen}. Nothing was "
                    "counted"
                )
        came, announced = len(after.arrived), len(after.expected.containers)
        place = "" if after.hidden else f" ({came} of {announced})"
        return f"container {self.scan.code.sscc}{place}: scan its contents"

    def _counted(self, after: DeliveryState) -> str:
        line = self.lines[0]
        there = after.count(line.number).counted
        how = "counted"
        if self.packs:
            many = f"{self.packs} packs" if self.packs > 1 else "a pack"
            how = f"counted as {many} of {self.pieces // self.packs}"
        elif self.pieces > 1:
            how = f"counted {self.pieces} pieces"
        if after.hidden:
            return f"{how}: {title(line)}, {there} now"
        over = after.difference(line)
        said = f", {over} too many" if over > 0 else ""
        return f"{how}: {title(line)}, {there} of {line.expected}{said}"


def title(line: Line) -> str:
    """A line's article and lot, as people read them."""
    lot = f", lot {line.lot}" if line.lot else ""
    return f"{line.sku} {line.description}".strip() + lot


def answer(state: DeliveryState, scan: Scan) -> Answer:
    """The answer to `scan` for a delivery in the state `state`.

    Raises:
        UsageError: the line that was chosen is not there or has another code; or several pieces are
            to be counted with one serial number.
    """
    code = scan.code
    if code.sscc is not None:
        return _container(state, scan)
    matches = _matches(state, scan)
    lines = _narrowed(state, scan, [line for line, _ in matches])
    if not lines:
        return put_aside(scan, _unknown(scan))
    if len(lines) > 1:
        return Answer(reply=Reply.SEVERAL, scan=scan, lines=tuple(lines))
    line = lines[0]
    is_pack = dict(matches)[line]
    serial = code.serial or (code.text if code.text in line.serials else None)
    if serial is not None and (refusal := _serial_refused(state, line, serial)) is not None:
        return put_aside(scan, refusal)
    if serial is not None and scan.times > 1:
        raise UsageError(
            Sentence(
                "a serial number is one piece. Received: {serial} and {pieces}",
                serial=serial,
                pieces=str(scan.times),
            )
        )
    if scan.is_contradicted(line):
        return Answer(reply=Reply.STOP, scan=scan, lines=(line,))
    if not is_pack:
        return Answer(
            reply=Reply.COUNTED, scan=scan, lines=(line,), pieces=scan.times, serial=serial
        )
    if line.pack_size == 1:
        return put_aside(scan, asides.PACK_OF_NO_SIZE.format(goods=title(line)))
    return Answer(
        reply=Reply.PACK,
        scan=scan,
        lines=(line,),
        packs=scan.times,
        pieces=scan.times * line.pack_size,
        serial=serial,
    )


def answer_to_item(state: DeliveryState, scan: Scan, *, rejected: str | None) -> Answer:
    """The answer to an item that the station saw and whose code was not read.

    Args:
        scan: its `seen`, `item_id` and `photograph`.
        rejected: why the station rejected it; None if it accepted the label.
    """
    if rejected is not None:
        return put_aside(scan, asides.REJECTED.format(reject=rejected))
    found = [line for line in state.lines if line.label is not None and line.label == scan.seen]
    lines = _narrowed(state, scan, found)
    if not lines:
        return put_aside(scan, asides.OTHER_LABEL.format(label=scan.seen))
    if len(lines) > 1:
        said = asides.SEVERAL_LABELS.format(count=len(lines), label=scan.seen)
        return put_aside(scan, said)
    return Answer(reply=Reply.COUNTED, scan=scan, lines=tuple(lines), pieces=scan.times)


def named_lines(state: DeliveryState, code: Code) -> list[Line]:
    """The lines that a code may mean; none if it is the code of a container."""
    scan = Scan(code=code)
    if code.sscc is not None:
        return []
    return _narrowed(state, scan, [line for line, _ in _matches(state, scan)])


def put_aside(scan: Scan, reason: str) -> Answer:
    """The answer to a piece that cannot be counted now: put it aside.

    Args:
        reason: why it cannot be counted, as the end of a sentence.
    """
    return Answer(reply=Reply.NOT_HERE, scan=scan, reason=reason)


def _container(state: DeliveryState, scan: Scan) -> Answer:
    inside = tuple(line for line in state.lines if line.container == scan.code.sscc)
    if not inside:
        return put_aside(scan, asides.OTHER_CONTAINER.format(code=scan.code.sscc))
    return Answer(reply=Reply.CONTAINER, scan=scan, lines=inside)


def _matches(state: DeliveryState, scan: Scan) -> list[tuple[Line, bool]]:
    """The lines that the code may mean, each with whether it is the code of a pack."""
    code, lines = scan.code, state.lines
    if scan.line is not None:
        chosen = [line for line in lines if line.number == scan.line]
        if not chosen:
            raise UsageError(
                Sentence(
                    "the delivery {name} has no line {line}",
                    name=state.delivery,
                    line=str(scan.line),
                )
            )
        if not code.text:
            return [(chosen[0], False)]
    ways: Sequence[tuple[Callable[[Line], bool], bool]] = (
        (lambda line: code.gtin is not None and line.gtin == code.gtin, False),
        (lambda line: code.gtin is not None and line.pack_gtin == code.gtin, True),
        (lambda line: bool(code.gtin and line.gtin and is_pack_of(code.gtin, line.gtin)), True),
        (lambda line: code.text in line.serials, False),
        (lambda line: line.sku.casefold() == code.text.casefold(), False),
    )
    for is_meant, is_pack in ways:
        found = [(line, is_pack) for line in lines if is_meant(line)]
        if found:
            return found
    return []


def _narrowed(state: DeliveryState, scan: Scan, lines: list[Line]) -> list[Line]:
    """Those of `lines` that fit the serial, lot, expiry and container; one of these that fits no
    line is ignored."""
    code = scan.code
    if scan.line is not None:
        chosen = [line for line in lines if line.number == scan.line]
        if lines and not chosen:
            others = ", ".join(str(line.number) for line in lines)
            raise UsageError(
                Sentence(
                    "line {line} has another code than {code}, which is on line {others}",
                    line=str(scan.line),
                    code=code.text,
                    others=others,
                )
            )
        return chosen
    ways: Sequence[Callable[[Line], bool]] = (
        lambda line: code.serial is not None and code.serial in line.serials,
        lambda line: code.lot is not None and line.lot == code.lot,
        lambda line: code.expiry is not None and line.expiry == code.expiry,
        lambda line: state.container is not None and line.container == state.container,
    )
    for fits in ways:
        lines = [line for line in lines if fits(line)] or lines
    return lines


def _serial_refused(state: DeliveryState, line: Line, serial: str) -> str | None:
    if serial in state.count(line.number).serials:
        return asides.COUNTED_BEFORE.format(serial=serial)
    if line.serials and serial not in line.serials:
        return asides.OTHER_SERIAL.format(serial=serial, goods=title(line))
    return None


def _unknown(scan: Scan) -> str:
    if not scan.code.text:
        return asides.NO_CODE
    if scan.code.gtin is None:
        return asides.NO_GTIN.format(code=scan.code.text)
    return asides.OTHER_GTIN.format(code=scan.code.gtin)
