"""`pilah-edge ledger draw` and `audit`: items that somebody looks at, for the purity of lanes."""

from __future__ import annotations

import argparse

from edge.commands.ledger.named import add_ledger, check_names, named_by
from edge.core.command_line import count, print_json
from edge.core.errors import EXIT_OK, UsageError
from edge.core.terminal.speech import write_out


def add_parsers(doing: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command lines of `draw` and `audit`."""
    draw = doing.add_parser("draw", help="choose items by chance, for somebody to look at")
    add_ledger(draw)
    draw.add_argument("count", type=count, metavar="N", help="how many")
    draw.add_argument("--from", dest="begin", metavar="TIME", help="from this day or time on, UTC")
    draw.add_argument("--to", dest="end", metavar="TIME", help="until the end of this day, UTC")
    draw.add_argument("--json", action="store_true", help="one JSON object on stdout")
    audit = doing.add_parser("audit", help="write down what an item is that somebody looked at")
    add_ledger(audit)
    audit.add_argument("item", metavar="ITEM", help="the item's id, as `draw` shows it")
    audit.add_argument("--label", required=True, metavar="LABEL", help="what it is")
    audit.add_argument("--lane", metavar="LANE", help="where it belongs (default: by its label)")
    audit.add_argument("--by", required=True, metavar="WHO", help="the name of who looked")
    audit.add_argument(
        "--doubtful",
        action="store_true",
        help="it was chosen as a doubtful one, not drawn: it does not count for the purity",
    )


def draw(arguments: argparse.Namespace) -> int:
    """Shows items that were drawn."""
    from edge.ledger.export.reading import Selection, utc_bound
    from edge.ledger.upkeep.auditing import drawn_items

    begin = "" if arguments.begin is None else utc_bound(arguments.begin)
    end = "~" if arguments.end is None else utc_bound(arguments.end, end=True)
    named = named_by(arguments.ledger)
    found = drawn_items(
        named.path, arguments.count, Selection(begin, end), photographs=named.photographs
    )
    shown = [
        {name: item.row[name] for name in ("id", "time", "item", "lane", "photograph")}
        for item in found
    ]
    if arguments.json:
        print_json({"items": shown})
    else:
        for one in shown:
            write_out(
                f"{one['id']}  {one['time'][:19]}Z  item {one['item']}  {one['lane']}  "
                f"{one['photograph'] or ''}\n".replace("  \n", "\n")
            )
    return EXIT_OK


def run(arguments: argparse.Namespace) -> int:
    """Writes an audit down."""
    from edge.ledger.upkeep.auditing import AuditFinding, audit
    from edge.ledger.upkeep.correcting import keep_as_found

    named = named_by(arguments.ledger)
    lane, keep = arguments.lane, named.keep
    if named.lanes is None:
        keep = keep_as_found(named.path)
        if lane is None:
            raise UsageError(
                "ledger audit: where does the item belong? Name the station file in place of the "
                "ledger, or say --lane"
            )
    else:
        # What belongs to a lane that is named may be a thing of no label.
        check_names({"label": arguments.label} if lane is None else {"lane": lane}, named.lanes)
        lane = lane or next(x for x, labels in named.lanes.items() if arguments.label in labels)
    finding = AuditFinding(arguments.label, lane, arguments.by, drawn=not arguments.doubtful)
    done = audit(named.path, arguments.item, finding, keep=keep)
    write_out(f"{done.item_id} is {done.label}, and belongs to {done.lane}  (audit {done.id})\n")
    return EXIT_OK
