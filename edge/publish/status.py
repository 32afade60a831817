"""The status of a station's receivers, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.core.command_line import print_json
from edge.core.errors import OutboxError
from edge.core.terminal.speech import write_out
from edge.publish.outbox_file import OutboxFile, Position, outboxes
from edge.publish.publisher_file import PublisherFile, SendCounts

if TYPE_CHECKING:  # what reads station files is large, and the operator's pages do without it
    from edge.config.publish.section import PublishSettings
    from edge.config.station import RecordsConfig

_SHOWN = 10
"""How many refused entries are shown for each receiver, the newest ones."""


def show_status(config: RecordsConfig, publish: PublishSettings, *, as_json: bool) -> None:
    """Prints the status of the station's receivers.

    Raises:
        PublisherFileError: the publisher's file cannot be read.
    """
    found = status_of(config, publish)
    if as_json:
        print_json(found)
    else:
        _show(found)


def status_of(config: RecordsConfig, publish: PublishSettings) -> dict[str, Any]:
    """The status of the station's receivers, as `pilah-publish --status --json` prints it.

    Raises:
        PublisherFileError: the publisher's file cannot be read.
    """
    from edge.config.publish.section import publisher_path
    from edge.config.receiving import deliveries_path

    ledger = config.ledger.path
    boxes = outboxes(ledger, deliveries_path(config.receiving, ledger))
    found = receiver_statuses(publish.receivers, publisher_path(ledger), boxes)
    return {"station": config.station, "receivers": found}


def receiver_statuses(
    receivers: Sequence[str], file: Path, boxes: Sequence[OutboxFile]
) -> dict[str, dict[str, Any]]:
    """The status of each receiver by its name, as `pilah-publish --status --json` prints it.

    Args:
        file: the publisher's file, which may be missing.
        boxes: the station's outboxes, which are closed in the end.

    Raises:
        PublisherFileError: the publisher's file cannot be read.
    """
    progress: PublisherFile | None = None
    try:
        if file.is_file():
            progress = PublisherFile(file, read_only=True)
        return {name: _receiver(name, boxes, progress) for name in receivers}
    finally:
        for box in boxes:
            box.close()
        if progress is not None:
            progress.close()


def _receiver(
    name: str, boxes: Sequence[OutboxFile], progress: PublisherFile | None
) -> dict[str, Any]:
    trouble = None if progress is None else progress.trouble(name)
    return {
        "trouble": None if trouble is None else trouble.reason,
        "since": None if trouble is None else trouble.since,
        "outboxes": {box.name: _outbox(name, box, progress) for box in boxes},
        "refused": []
        if progress is None
        else [
            {"id": one.id, "kind": one.kind, "time": one.time, "reason": one.reason}
            for one in progress.refused(name, _SHOWN)
        ],
    }


def _outbox(name: str, box: OutboxFile, progress: PublisherFile | None) -> dict[str, Any]:
    position: Position | None = None
    counts = SendCounts()
    if progress is not None:
        position, counts = progress.position(name, box.name), progress.counts(name, box.name)
    try:
        waiting: int | None = box.waiting(position)
        dropped = counts.dropped + box.dropped(position)  # the latter while a receiver is away
    except OutboxError:
        waiting, dropped = None, counts.dropped
    return {
        "sent": counts.sent,
        "waiting": waiting,
        "refused": counts.refused,
        "dropped": dropped,
        "last": counts.last,
    }


def _show(found: dict[str, Any]) -> None:
    for name, receiver in found["receivers"].items():
        trouble = receiver["trouble"]
        word = "no trouble" if trouble is None else f"since {receiver['since']}: {trouble}"
        write_out(f"{name:<10} {word}\n")
        for outbox, counts in receiver["outboxes"].items():
            waiting = "not known" if counts["waiting"] is None else f"{counts['waiting']:,}"
            write_out(
                f"  {outbox:<10} sent {counts['sent']:,}, waiting {waiting}, refused "
                f"{counts['refused']:,}, dropped {counts['dropped']:,}"
                + (f"; the last one of {counts['last']}" if counts["last"] else "")
                + "\n"
            )
        for one in receiver["refused"]:
            write_out(f"  refused    {one['kind']} {one['id']}: {one['reason']}\n")
