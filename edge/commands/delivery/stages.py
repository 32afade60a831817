"""`delivery open`, `close` and `reopen`: from one phase of a delivery to the next."""

from __future__ import annotations

from argparse import Namespace

from edge.commands.delivery.at_the_desk import desk, table
from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.terminal.speech import write_out
from edge.receiving.difference import as_json
from edge.receiving.scan import RULE
from edge.receiving.state import DeliveryState, Phase


def run_open(arguments: Namespace) -> int:
    with desk(arguments) as work:
        state = work.open(arguments.name)
    _show(arguments, state)
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
    _show(arguments, state)
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
    _show(arguments, state)
    return EXIT_OK


def _show(arguments: Namespace, state: DeliveryState) -> None:
    if arguments.json:
        print_json(as_json(state))
    else:
        for line in table(state):
            write_out(f"{line}\n")
