"""The steps of a person who receives goods; each is one transaction on the file of deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from edge.core.errors import DeliveryRefusedError, UsageError
from edge.core.suggestions import did_you_mean
from edge.core.terminal.sentence import Sentence
from edge.events import Stamps
from edge.receiving.delivery import Expected, differences
from edge.receiving.events import (
    Carried,
    CountCorrected,
    CountUndone,
    DeliveryChecked,
    DeliveryClosed,
    DeliveryEvent,
    DeliveryImported,
    DeliveryOpened,
    DeliveryReopened,
    DeliveryWithdrawn,
    Figure,
    MarkedDamaged,
    PictureDisagreed,
)
from edge.receiving.named import event_to_undo, line_of, refused, stopped_piece
from edge.receiving.pieces.answers import replacing, waiting_for
from edge.receiving.scan import Answer, Reply, Scan, answer
from edge.receiving.state import COUNTABLE, DeliveryState, Phase, fold, lines_missing, undone_ids
from edge.receiving.store import Deliveries

E = TypeVar("E", bound=DeliveryEvent)


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk at which one person works on the deliveries of a station."""

    deliveries: Deliveries
    stamps: Stamps
    by: str
    """The person's name."""

    def import_goods(self, found: Sequence[Expected], source: str) -> list[tuple[str, str]]:
        """Announces all the deliveries `found`; none of them if one is refused.

        Returns:
            The name of each delivery, and `new`, `changed` or `unchanged`.

        Raises:
            DeliveryRefusedError: one was opened before, and is now announced differently.
        """
        done = []
        with self.deliveries.writing():
            for expected in found:
                state = self.deliveries.state(expected.delivery)
                if state is not None and state.expected == expected:
                    done.append((expected.delivery, "unchanged"))
                    continue
                if state is not None and state.phase is not Phase.EXPECTED:
                    said = "; ".join(differences(state.expected, expected))
                    raise DeliveryRefusedError(
                        f"the delivery {state.delivery} is {state.phase.words} already, and this "
                        f"list announces it differently: {said}. Nothing was imported: give the "
                        "new goods another delivery name, or leave this delivery out of the file"
                    )
                made = self._event(
                    DeliveryImported,
                    expected.delivery,
                    lines=expected.lines,
                    blind=expected.blind,
                    source=source,
                )
                self.deliveries.append([made])
                done.append((expected.delivery, "new" if state is None else "changed"))
        return done

    def open(self, name: str) -> DeliveryState:
        """Begins to count a delivery, or continues with one after another delivery was counted.

        Raises:
            DeliveryRefusedError: it is closed or withdrawn.
        """
        with self.deliveries.writing():
            state = self.known(name)
            if state.phase not in (Phase.EXPECTED, *COUNTABLE):
                said = Sentence("the delivery {name} is {phase}", **_about(state))
                if state.closed is not None:
                    said = Sentence(
                        "the delivery {name} is {phase}: `delivery reopen {name}` counts it again",
                        **_about(state),
                    )
                raise refused(said, kind="over")
            current = self.deliveries.current()
            if current is None or current.delivery != name:
                self.deliveries.append([self._event(DeliveryOpened, name)])
            return self.known(name)

    def scan(
        self,
        name: str | None,
        scan: Scan,
        *,
        damaged: bool = False,
        why: str = "",
        force: bool = False,
        stopped: str | None = None,
    ) -> tuple[Answer, DeliveryState]:
        """Counts what was scanned; returns the answer and the delivery's new state.

        If the station has put an item with this code aside, the scan counts as one of that item. If
        it has stopped one, the answer is still that the picture shows something else, until the
        person decides.

        Args:
            damaged: whether the counted pieces are damaged. force: whether the piece counts
            whatever the picture shows, because the person has looked at it. stopped: the id of the
            event by which the station stopped it: it counts once, by force. why: what is wrong.

        Raises:
            DeliveryRefusedError: the delivery is not being counted, or nothing is stopped by that.
            UsageError: see `answer`.
        """
        with self.deliveries.writing():
            state = self.countable(name)
            scan = replace(scan, seen=None) if force or stopped else scan
            before = waiting_for(scan.code, state) if scan.code.text and scan.seen is None else None
            if stopped is not None:
                before, force = stopped_piece(state, stopped, scan), True
            if isinstance(before, PictureDisagreed) and not force:
                return answer(state, replacing(scan, before)), state
            undone: list[DeliveryEvent] = []
            if before is not None:
                undone.append(self._event(CountUndone, state.delivery, undone=before.id))
                state = fold([*self.deliveries.events(state.delivery), *undone]) or state
                scan = replace(scan, replaces=before.id)
            found = answer(state, scan)
            event = found.event(self.stamps.now(), state.delivery, self.by)
            events = [] if event is None else [*undone, event]
            if damaged and found.reply in (Reply.COUNTED, Reply.PACK):
                events.append(
                    self._event(
                        MarkedDamaged,
                        state.delivery,
                        line=found.lines[0].number,
                        pieces=found.pieces,
                        why=why,
                        photograph=scan.photograph,
                    )
                )
            return found, self._appended(state.delivery, events)

    def correct(
        self, name: str | None, line: int | str, figure: Figure, now: int, why: str
    ) -> DeliveryState:
        """Corrects a figure of a line.

        Args:
            line: the number of the line, or a SKU that only one line has.

        Raises:
            DeliveryRefusedError: the delivery is not being counted, or the figure is impossible.
            UsageError: there is no such line, or several.
        """
        with self.deliveries.writing():
            state = self.countable(name)
            number = line_of(state, line).number
            was: int = getattr(state.count(number), figure)
            if was == now:
                return state
            event = self._event(
                CountCorrected,
                state.delivery,
                line=number,
                figure=figure,
                was=was,
                now=now,
                why=why,
            )
            return self._appended(state.delivery, [event])

    def undo(self, name: str | None, event_id: str | None) -> tuple[DeliveryEvent, DeliveryState]:
        """Undoes one event; returns that event and the delivery's new state.

        Args:
            event_id: the id of the event, or last characters of it that no other id has; None for
            the last event that counts and is not an undo itself.

        Raises:
            DeliveryRefusedError: there is nothing to undo, or the figures would be impossible then.
            UsageError: there is no such event.
        """
        with self.deliveries.writing():
            state = self.countable(name)
            events = self.deliveries.events(state.delivery)
            gone = undone_ids(events)
            live = [event for event in events if event.id not in gone]
            undone = event_to_undo(live, event_id, state.delivery)
            event = self._event(CountUndone, state.delivery, undone=undone.id)
            return undone, self._appended(state.delivery, [event])

    def close(
        self, name: str | None, *, as_counted: bool, back_order: bool
    ) -> tuple[DeliveryState, DeliveryState | None]:
        """Closes a delivery if it is as announced, or if `as_counted`; otherwise marks it as
        checked.

        Args:
            as_counted: whether to close it although the count differs.
            back_order: whether the missing pieces are still expected, as a delivery of their own.

        Returns:
            The delivery, whose `phase` says whether it was closed, and the back-order or None.

        Raises:
            DeliveryRefusedError: the delivery is not being counted.
        """
        with self.deliveries.writing():
            state = self.countable(name)
            if state.differs and not as_counted:
                return self._appended(
                    state.delivery, [self._event(DeliveryChecked, state.delivery)]
                ), None
            missing = tuple(lines_missing(state)) if back_order else ()
            rest = self._free_name(f"{state.delivery}-B") if missing else None
            made: list[DeliveryEvent] = [
                *([self._event(DeliveryChecked, state.delivery)] * (state.phase != Phase.CHECKED)),
                self._event(
                    DeliveryClosed, state.delivery, outcome=state.reckoned, back_order=rest
                ),
            ]
            if rest is not None:
                made.append(
                    self._event(
                        DeliveryImported,
                        rest,
                        lines=missing,
                        blind=state.expected.blind,
                        back_order_of=state.delivery,
                    )
                )
            closed = self._appended(state.delivery, made)
            return closed, None if rest is None else self.known(rest)

    def reopen(self, name: str, why: str) -> DeliveryState:
        """Makes a new receipt, whose count continues from the figures of a closed delivery.

        The back-order of the closed delivery is withdrawn, because the new receipt expects its
        pieces.

        Raises:
            DeliveryRefusedError: it is not closed, was reopened before, or its back-order was
                opened already.
        """
        with self.deliveries.writing():
            state = self.known(name)
            if state.phase is not Phase.CLOSED:
                said = Sentence("the delivery {name} is {phase}, not closed", **_about(state))
                raise refused(said, kind="not_closed")
            if state.reopened_as is not None:
                said = Sentence(
                    "the delivery {name} was reopened as {other}: count there",
                    name=name,
                    other=state.reopened_as,
                )
                raise refused(said, kind="reopened")
            made: list[DeliveryEvent] = []
            if state.back_order is not None:
                rest = self.known(state.back_order)
                if rest.phase is not Phase.EXPECTED:
                    said = Sentence(
                        "the missing pieces of {name} are received as {other}, which is {phase}: "
                        "count them there",
                        name=name,
                        other=rest.delivery,
                        phase=rest.phase.words,
                    )
                    raise refused(said, kind="back_order")
                reason = f"{name} was reopened"
                made.append(self._event(DeliveryWithdrawn, rest.delivery, why=reason))
            new = self._free_name(f"{name}-R")
            carried = tuple(
                Carried(
                    line=number,
                    counted=count.counted,
                    damaged=count.damaged,
                    serials=tuple(sorted(count.serials)),
                )
                for number, count in state.counts.items()
            )
            made += [
                self._event(DeliveryReopened, name, reopened_as=new, why=why),
                self._event(
                    DeliveryImported,
                    new,
                    lines=state.lines,
                    blind=state.expected.blind,
                    reopens=name,
                    carried=carried,
                ),
                self._event(DeliveryOpened, new),
            ]
            return self._appended(new, made)

    def known(self, name: str) -> DeliveryState:
        """The state of the delivery `name`.

        Raises:
            UsageError: there is no such delivery.
        """
        state = self.deliveries.state(name)
        if state is None:
            near = did_you_mean(name, self.deliveries.names())
            raise UsageError(f"there is no delivery {name!r}{near}")
        return state

    def countable(self, name: str | None) -> DeliveryState:
        """The delivery `name`, or the one that was opened last; it is being counted.

        Raises:
            DeliveryRefusedError: it is not being counted.
            UsageError: there is no such delivery.
        """
        if name is None:
            current = self.deliveries.current()
            if current is None:
                said = Sentence(
                    "no delivery is being counted: `delivery open` one, or name one with --delivery"
                )
                raise refused(said, kind="none_open")
            return current
        state = self.known(name)
        if state.phase not in COUNTABLE:
            said = Sentence(
                "the delivery {name} is {phase}, so nothing can be counted on it", **_about(state)
            )
            raise refused(said, kind="not_counting")
        return state

    def _appended(self, name: str, events: Iterable[DeliveryEvent]) -> DeliveryState:
        """Appends `events` to the delivery `name`, unless its figures would be impossible then."""
        self.deliveries.append(list(events))
        state = self.known(name)
        if (why := state.impossible) is not None:
            said = Sentence("this is impossible: {why}. Nothing was changed", why=why)
            raise refused(said, kind="impossible")
        return state

    def _event(self, kind: Callable[..., E], name: str, **values: object) -> E:
        return kind(*self.stamps.now(), name, self.by, **values)

    def _free_name(self, stem: str) -> str:
        taken = set(self.deliveries.names())
        return next(f"{stem}{n}" for n in range(1, len(taken) + 2) if f"{stem}{n}" not in taken)


def _about(state: DeliveryState) -> dict[str, str]:
    """What refusals say of a delivery."""
    return {"name": state.delivery, "phase": state.phase.words}
