"""`delivery correct` and `undo`: correct a wrong count. No event is overwritten."""

from __future__ import annotations

from argparse import Namespace

from edge.commands.delivery.at_the_desk import desk, show_state
from edge.core.errors import EXIT_OK, UsageError
from edge.core.terminal.speech import write_out
from edge.receiving.events import Figure, kind_of


def run_correct(arguments: Namespace) -> int:
    if not arguments.why.strip():
        raise UsageError("delivery correct: --why must say why the figure was wrong")
    figure: Figure = "damaged" if arguments.counted is None else "counted"
    now = arguments.damaged if arguments.counted is None else arguments.counted
    with desk(arguments) as work:
        state = work.correct(arguments.delivery, arguments.line, figure, now, arguments.why)
    show_state(arguments, state)
    return EXIT_OK


def run_undo(arguments: Namespace) -> int:
    with desk(arguments) as work:
        undone, state = work.undo(arguments.delivery, arguments.event)
    if not arguments.json:
        said = kind_of(undone).replace("_", " ")
        write_out(f"undone     {undone.id[-8:]}: {said} by {undone.by}, {undone.time[:19]}\n")
    show_state(arguments, state)
    return EXIT_OK
