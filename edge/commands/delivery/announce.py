"""`delivery import`: announce deliveries, from a CSV file or typed in."""

from __future__ import annotations

import logging
from argparse import Namespace

from edge.commands.delivery.at_the_desk import desk
from edge.config.reading import read_receiving_config
from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK, UsageError
from edge.core.terminal.speech import write_out
from edge.receiving.goods import read_goods, typed_goods

_log = logging.getLogger(__name__)


def run(arguments: Namespace) -> int:
    if (arguments.goods is None) == (not arguments.line):
        raise UsageError("delivery import: give either GOODS.csv or --line SKU=PIECES")
    if arguments.line and arguments.delivery is None:
        raise UsageError("delivery import: --line needs --delivery NAME")
    lanes = read_receiving_config(arguments.station).lanes.values()
    labels = {label for lane in lanes for label in lane.labels}
    if arguments.goods is None:
        typed = typed_goods(
            arguments.line, delivery=arguments.delivery, blind=arguments.blind, labels=labels
        )
        found = [typed]
    else:
        found, left_out = read_goods(
            arguments.goods, delivery=arguments.delivery, blind=arguments.blind, labels=labels
        )
        if left_out:
            _log.info(f"not read: {', '.join(left_out)}")
    with desk(arguments) as work:
        done = work.import_goods(found, str(arguments.goods or ""))
    sizes = {expected.delivery: len(expected.lines) for expected in found}
    if arguments.json:
        print_json({"deliveries": [{"delivery": name, "import": how} for name, how in done]})
    else:
        for name, how in done:
            lines = f"{sizes[name]} line{'s' * (sizes[name] != 1)}"
            write_out(f"{how:<10} {name}: {lines}\n")
    return EXIT_OK
