"""`delivery open`, `close` and `reopen`: take a delivery to its next phase."""

from __future__ import annotations

from argparse import Namespace

from edge.commands.delivery.at_the_desk import desk, show_state
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.terminal.speech import write_out
from edge.receiving.scan import RULE
from edge.receiving.state import Phase


def run_open(arguments: Namespace) -> int:
    with desk(arguments) as work:
        state = work.open(arguments.name)
    show_state(arguments, state)
    if not arguments.json:
        write_out(f"{RULE}\n")
    return EXIT_OK


def run_close(arguments: Namespace) -> int:
    with desk(arguments) as work:
        state, rest = work.close(
            arguments.delivery,
            as_counted=arguments.as_counted,
            back_order=not arguments.no_back_order,
        )
    show_state(arguments, state)
    closed = state.phase is Phase.CLOSED
    if not arguments.json:
        if rest is not None:
            write_out(f"expected   {rest.delivery}: what is missing of {state.delivery}\n")
        if not closed:
            write_out(
                "not closed: it differs from what was announced. Count again, or close it with "
                "--as-counted\n"
            )
    return EXIT_OK if closed else EXIT_NO


def run_reopen(arguments: Namespace) -> int:
    with desk(arguments) as work:
        state = work.reopen(arguments.name, arguments.why)
    show_state(arguments, state)
    return EXIT_OK
