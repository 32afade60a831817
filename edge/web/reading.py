"""Reads from a station file what the pages need to know.

It imports what reads station files, which is large. So it runs before the pages, in a process that
becomes that of the pages (`edge/commands/web.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.config.photographs import photographs_folder
from edge.config.publish.section import PublishSettings
from edge.config.reading import read_part
from edge.config.receiving import deliveries_path
from edge.config.serving.pages import WebSettings, taught_folder
from edge.config.station import PagesConfig
from edge.core.redaction import redacted
from edge.web.plan import Outgoing, WebPlan
from edge.web.watch.bundle_facts import bundle_facts


def read_plan(path: Path) -> WebPlan:
    """What the pages of the station of the file `path` need to know.

    Raises:
        ConfigError: the sections that they need have mistakes.
    """
    file, config = read_part(path, PagesConfig)
    ledger, kept = config.ledger.path.absolute(), config.photographs
    web = config.web or WebSettings()
    bundle = file.path_at(("bundle",))
    return WebPlan(
        station=config.station,
        ledger=ledger,
        deliveries=deliveries_path(config.receiving, ledger).absolute(),
        photographs=photographs_folder(kept, ledger).absolute(),
        accounts=web.accounts_file or ledger.with_name(f"{ledger.stem}-accounts") / "accounts.json",
        lanes={name: tuple(lane.labels) for name, lane in config.lanes.items()},
        moving=tuple(config.actuators),
        kept="none" if kept is None else kept.items,
        share=0.0 if kept is None else kept.share,
        kept_days=None if kept is None else kept.days,
        kept_megabytes=None if kept is None else kept.megabytes,
        taught=taught_folder(config.web, ledger).absolute(),
        live=web.live_picture,
        outbox=None if config.keep is None else config.keep.as_json(),
        bundle=bundle,
        model=None if bundle is None else bundle_facts(bundle),
        outgoing=tuple(_outgoing(config.publish)),
        names=web.names,
        host=web.listen.host,
        port=web.listen.port,
        certificate=web.certificate_file,
        key=web.key_file,
    )


def _outgoing(publish: PublishSettings | None) -> Iterator[Outgoing]:
    if publish is None:
        return
    if publish.mqtt is not None:
        yield Outgoing(name="mqtt", place=publish.mqtt.host)
    if publish.postgres is not None:
        yield Outgoing(name="postgres", place=publish.postgres.host)
    for name in ("epcis", "inventree"):
        if (section := getattr(publish, name)) is not None:
            yield Outgoing(name=name, place=redacted(section.url))
    if publish.metrics is not None:
        yield Outgoing(name="metrics", place=str(publish.metrics.listen))
