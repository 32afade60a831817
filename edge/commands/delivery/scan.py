"""`delivery scan`: count scanned codes, given as arguments or one per line on stdin."""

from __future__ import annotations

import logging
import sys
from argparse import Namespace
from collections.abc import Iterator

from edge.commands.delivery.at_the_desk import desk, write_incidents
from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK, UsageError
from edge.core.files import check_regular, storage_errors
from edge.core.terminal.hints import install_command
from edge.core.terminal.speech import write_out
from edge.receiving.code import checked_code, is_left_unread, read_code
from edge.receiving.desk import Desk
from edge.receiving.scan import RULE, Answer, Reply, Scan
from edge.receiving.state import DeliveryState

_log = logging.getLogger(__name__)


def run(arguments: Namespace) -> int:
    if arguments.why and not arguments.damaged:
        raise UsageError("delivery scan: --why belongs to --damaged")
    if arguments.photograph is not None:
        with storage_errors("read", arguments.photograph):
            check_regular(arguments.photograph)
    all_counted, was_told = True, False
    with desk(arguments) as work:
        for text in _codes(arguments, work):
            if not was_told and is_left_unread(text):
                was_told = True
                _log.warning(
                    f"warning    {text!r} is taken as mere text: GS1 elements and Digital Links "
                    f"are read with the extra `codes`: {install_command('codes')}"
                )
            found, state = work.scan(
                arguments.delivery,
                Scan(
                    code=read_code(text),
                    times=arguments.pieces,
                    line=arguments.line,
                    seen=arguments.seen,
                    photograph=_place(arguments),
                ),
                damaged=arguments.damaged,
                why=arguments.why,
                force=arguments.force,
            )
            if found.reply is Reply.STOP:
                write_incidents(arguments, work.deliveries)
            all_counted &= found.reply in (Reply.COUNTED, Reply.PACK, Reply.CONTAINER)
            _show(arguments, found, state)
    return EXIT_OK if all_counted else EXIT_NO


def _codes(arguments: Namespace, work: Desk) -> Iterator[str]:
    """The codes in their order; one empty code if a line was named and no code."""
    if arguments.codes:
        yield from (checked_code(code) for code in arguments.codes)
        return
    if arguments.line is not None:
        yield ""
        return
    work.countable(arguments.delivery)  # said before the first scan, not after it
    if sys.stdin.isatty():
        write_out(f"{RULE} Ctrl-D ends.\n")
    for line in sys.stdin:
        if line.strip():
            yield checked_code(line)


def _place(arguments: Namespace) -> str | None:
    return None if arguments.photograph is None else str(arguments.photograph.absolute())


def _show(arguments: Namespace, found: Answer, state: DeliveryState) -> None:
    words = found.words(state)
    if not arguments.json:
        write_out(f"{words}\n")
        return
    line = found.lines[0] if found.reply in (Reply.COUNTED, Reply.PACK, Reply.STOP) else None
    print_json(
        {
            "delivery": state.delivery,
            "code": found.scan.code.text,
            "answer": str(found.reply),
            "words": words,
            "line": None if line is None else line.number,
            "pieces": found.pieces,
            "counted": None if line is None else state.count(line.number).counted,
            "choose_from": [one.number for one in found.lines] * (found.reply is Reply.SEVERAL),
        }
    )
