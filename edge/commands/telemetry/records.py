"""The findings of `pilah-edge doctor` about the station's records, and who is told of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edge.config.ledger import LedgerSettings
from edge.config.photographs import PhotographSettings, photographs_folder
from edge.config.publish.section import PublishSettings
from edge.config.receiving import deliveries_path
from edge.config.station import StationConfig
from edge.core.errors import DeliveryFileError, LedgerError, StorageError
from edge.core.terminal.wording import in_a_sentence, number_of
from edge.ledger.opening import spill_path
from edge.ledger.recovering import set_aside_files
from edge.ledger.spill import spilled_rows
from edge.ledger.sqlite_file import ledger_facts
from edge.receiving.store import Deliveries
from edge.samples.photograph_store import held_bytes, kept_free, room_left
from edge.telemetry.finding import Finding, bad, ok, warning
from edge.telemetry.host import disk_finding, wrong_disk


def about_the_records(config: StationConfig) -> Iterator[Finding]:
    """A finding for each kind of record that the station keeps, and for the disk of the ledger."""
    ledger = config.ledger
    yield from _about_the_ledger(ledger, config.station)
    yield disk_finding(ledger.path.parent)
    if config.receiving is not None:
        yield _about_the_deliveries(deliveries_path(config.receiving, ledger.path))
    if config.photographs is not None:
        folder = photographs_folder(config.photographs, ledger.path)
        yield _about_the_photographs(config.photographs, folder)
    if config.publish is not None and config.publish.receivers:
        yield _about_the_receivers(config.publish)


def _about_the_ledger(settings: LedgerSettings, station: str) -> Iterator[Finding]:
    path = settings.path
    try:
        facts = ledger_facts(path)
    except LedgerError as error:
        yield bad("ledger", str(error))
    else:
        last = f", the last one at {facts.last}" if facts and facts.last else ""
        rows = f"{number_of(facts.rows, 'rows')}{last}" if facts else "which `run` makes"
        yield ok("ledger", f"{path}, {rows}")
    if aside := set_aside_files(path):
        yield warning(
            "ledger",
            f"{number_of(len(aside), 'damaged or foreign files')} set aside, the last one is "
            f"{aside[-1]}",
            "copy what `sqlite3 FILE .recover` finds in them, and move them away",
        )
    spill = spill_path(settings, station)
    try:
        waiting = 0 if spill is None else spilled_rows(spill)
    except StorageError as error:
        yield warning("ledger", str(error), "rows wait there while the ledger cannot be written")
        return
    if waiting:
        rows = number_of(waiting, "rows", verb="wait")
        said = f"{rows} in {spill} until the ledger can be written"
        yield warning("ledger", said, "`run` adds them: free space, mend the disk, start it")


def _about_the_deliveries(path: Path) -> Finding:
    if not path.exists():
        return ok("deliveries", f"{path}, which `run` makes")
    if not os.access(path, os.W_OK):
        said = f"{path}, which this user may not write"
        return bad("deliveries", said, "run this as the station's user, or change its owner")
    try:
        with Deliveries(path, read_only=True) as file:
            state = file.current()
    except DeliveryFileError as error:
        return bad("deliveries", str(error))
    counted = "no delivery is open" if state is None else f"{state.delivery} is being counted"
    return ok("deliveries", f"{path}, {counted}")


def _about_the_photographs(settings: PhotographSettings, folder: Path) -> Finding:
    there = folder.is_dir()
    place = folder if there else folder.parent
    advice = "none is kept until it is: mount its disk, or change `photographs`"
    if not place.is_dir():
        return bad("photographs", f"the folder {place} is not there", advice)
    if not os.access(place, os.W_OK | os.X_OK):
        said = f"this user may not write in {place}"
        return bad("photographs", said, "run this as the station's user, or change its owner")
    megabyte, limit = 1e6, settings.megabytes
    try:
        held = held_bytes(folder) / megabyte
        room, free = room_left(place) / megabyte, kept_free(place) / megabyte
    except OSError as error:
        return bad("photographs", f"{place} cannot be read: {error.strerror}", advice)
    said = f"{folder}, {held:,.0f} of {limit:,.0f} MB" + ("" if there else ", which `run` makes")
    if room <= 0:
        said += f", and less than {free:,.0f} MB of its disk are free"
        return bad("photographs", said, "none is added until there is room: free some space")
    if (wrong := wrong_disk(folder)) is not None:
        return warning("photographs", f"{said}, {wrong}", "mount it, or change `photographs`")
    if room < limit - held:
        said += f", and there is room for {room:,.0f} more"
        return warning("photographs", said, "lower `megabytes`, or new ones will find no room")
    return ok("photographs", said)


def _about_the_receivers(publish: PublishSettings) -> Finding:
    unread = [
        f"publish.{name}.{key} {file}"
        for name in publish.receivers
        for key, file in getattr(publish, name)
        if key.endswith("_file") and file is not None and not os.access(file, os.R_OK)
    ]
    if unread:
        said = f"this user cannot read {in_a_sentence(unread)}"
        return bad("publish", said, "run this as the station's user, or change the owner or name")
    names = in_a_sentence(publish.receivers)
    return ok("publish", f"to {names}; `pilah-publish STATION.yaml --status` says how far it is")
