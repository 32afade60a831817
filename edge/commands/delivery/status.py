"""`delivery status`: show what is expected, what is counted, and the difference."""

from __future__ import annotations

from argparse import Namespace

from edge.commands.delivery.at_the_desk import desk, table
from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK
from edge.core.terminal.speech import write_out
from edge.receiving.desk import Desk
from edge.receiving.events import UNDOABLE, CountUndone, DeliveryEvent, kind_of
from edge.receiving.reports.difference import as_json, outcome_words
from edge.receiving.state import DeliveryState, undone_ids


def run(arguments: Namespace) -> int:
    with desk(arguments) as work:
        if arguments.delivery is None and not arguments.events:
            return _all(work, arguments)
        state = (
            work.countable(None) if arguments.delivery is None else work.known(arguments.delivery)
        )
        events = work.deliveries.events(state.delivery)
        if arguments.json:
            answer = as_json(state)
            if arguments.events:
                answer["events"] = [_event(event) for event in events]
            print_json(answer)
            return EXIT_OK
        for line in table(state):
            write_out(f"{line}\n")
        if arguments.events:
            gone = undone_ids(events)
            for event in events:
                write_out(f"{_words(event, state, undone=event.id in gone)}\n")
    return EXIT_OK


def _all(work: Desk, arguments: Namespace) -> int:
    """Shows the delivery that is being counted, and the phases of all others."""
    current = work.deliveries.current()
    names = work.deliveries.names()
    others = [work.known(name) for name in names if current is None or name != current.delivery]
    if arguments.json:
        print_json(
            {
                "counting": None if current is None else as_json(current),
                "others": [{"delivery": one.delivery, "state": str(one.phase)} for one in others],
            }
        )
        return EXIT_OK
    if not names:
        write_out("no delivery was announced: `pilah-edge delivery import` announces one\n")
    if current is not None:
        for line in table(current):
            write_out(f"{line}\n")
    for one in others:
        write_out(f"delivery   {one.delivery}  {outcome_words(one)}\n")
    return EXIT_OK


def _event(event: DeliveryEvent) -> dict[str, str | None]:
    return {"id": event.id, "time": event.time, "by": event.by, "kind": kind_of(event)}


def _words(event: DeliveryEvent, state: DeliveryState, *, undone: bool) -> str:
    said = kind_of(event).replace("_", " ")
    if isinstance(event, CountUndone):
        said += f" {event.undone[-8:]}"
    elif isinstance(event, UNDOABLE):
        parts = ("line", "sscc", "pieces", "code", "figure", "was", "now", "seen", "reason", "why")
        said += "".join(
            f"  {part} {getattr(event, part)}" for part in parts if getattr(event, part, "") != ""
        )
    mark = "  (undone)" if undone else ""
    return f"{event.time[:19]}  {event.id[-8:]}  {event.by}  {said}{mark}"
