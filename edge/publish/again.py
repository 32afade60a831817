"""Lists the entries that receivers refused, and has them sent again.

A person asks for this after the receiver was corrected: a topic is allowed now, or a purchase order
exists. The pump of the publisher sends the entries; a receiver drops those that it has, by their
ids.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from edge.config.publish.section import PublishSettings, publisher_path
from edge.config.station import RecordsConfig
from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK, UsageError
from edge.core.suggestions import did_you_mean
from edge.core.terminal.speech import write_out
from edge.core.terminal.wording import in_a_sentence
from edge.publish.publisher_file import PublisherFile, SetAside


def chosen(publish: PublishSettings, name: str | None) -> Sequence[str]:
    """The names of the receivers that are meant: the one that was given, or all.

    Raises:
        UsageError: the station file names no such receiver.
    """
    if name is None:
        return publish.receivers
    if name not in publish.receivers:
        near = did_you_mean(name, publish.receivers)
        raise UsageError(f"the station file has no receiver {name!r} under `publish`{near}")
    return (name,)


def show_refused(config: RecordsConfig, names: Sequence[str], *, as_json: bool) -> None:
    """Prints all entries that the receivers refused and that are set aside, the oldest first.

    Raises:
        PublisherFileError: the publisher's file cannot be read.
    """
    found = _refused(config, names)
    if as_json:
        print_json({"station": config.station, "refused": [_as_json(one) for one in found]})
        return
    for one in found:
        write_out(f"{one.receiver:<10} {one.kind} {one.id} of {one.time}: {one.reason}\n")
    if not found:
        write_out("nothing that was refused is set aside\n")


def send_again(
    config: RecordsConfig, names: Sequence[str], ids: Collection[str], *, as_json: bool
) -> int:
    """Has the publisher send refused entries again, and returns the exit code: EXIT_NO if there are
    none.

    Args:
        ids: the ids of the entries; if empty, all are sent.

    Raises:
        UsageError: no receiver refused an entry with one of the ids; nothing is sent again.
        PublisherFileError: the publisher's file cannot be written.
    """
    found = _refused(config, names)
    known = {one.id for one in found}
    if unknown := [one for one in ids if one not in known]:
        raise UsageError(
            f"nothing with the id {unknown[0]} is set aside: it was not refused, or was sent "
            "since. `--refused` lists what is"
        )
    counts = dict.fromkeys(names, 0)
    if found:
        with PublisherFile(publisher_path(config.ledger.path)) as progress:
            for name in names:
                counts[name] = progress.ask_again(name, ids or None)
    if as_json:
        print_json({"station": config.station, "asked": counts})
    else:
        _say(counts, any_refused=bool(found))
    return EXIT_OK if found else EXIT_NO


def _say(counts: dict[str, int], *, any_refused: bool) -> None:
    asked = [f"{count} to {name}" for name, count in counts.items() if count]
    if asked:
        write_out(
            f"entries that are sent again: {in_a_sentence(asked)}. The publisher that runs does it "
            "within seconds, or the next one\n"
        )
    elif any_refused:
        write_out("they are to be sent again already\n")
    else:
        write_out("nothing that was refused is set aside\n")


def _refused(config: RecordsConfig, names: Sequence[str]) -> list[SetAside]:
    file = publisher_path(config.ledger.path)
    if not file.is_file():
        return []
    with PublisherFile(file, read_only=True) as progress:
        return [one for name in names for one in progress.refused(name)]


def _as_json(one: SetAside) -> dict[str, str]:
    return {
        "receiver": one.receiver,
        "id": one.id,
        "kind": one.kind,
        "time": one.time,
        "refused_at": one.refused_at,
        "reason": one.reason,
    }
