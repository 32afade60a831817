"""The section `publish` of a station file: what `pilah-publish` sends, and to whom."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge.config.publish.metrics import MetricsSettings
from edge.config.publish.mqtt import MqttSettings
from edge.config.publish.outbox import OutboxSettings
from edge.config.publish.postgres import PostgresSettings
from edge.config.publish.web import EpcisSettings, InvenTreeSettings
from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised
from edge.outbox.retention import Keep


class PublishSettings(Section):
    """`publish`: other systems that hear of what happens, by the program `pilah-publish`. With this
    section, what happens is written to the outbox, too. Needs the extra `publish`."""

    mqtt: Annotated[
        MqttSettings | None, Field(description="an MQTT broker; without it, none is told")
    ] = None
    postgres: Annotated[
        PostgresSettings | None,
        Field(description="a PostgreSQL database; without it, none is written"),
    ] = None
    epcis: Annotated[
        EpcisSettings | None,
        Field(description="a repository of GS1's EPCIS 2.0; without it, none is told"),
    ] = None
    inventree: Annotated[
        InvenTreeSettings | None,
        Field(description="InvenTree; without it, goods are received there by hand"),
    ] = None
    metrics: Annotated[
        MetricsSettings | None,
        Field(
            description="figures for Prometheus, and whether the station is well; without it, "
            "nobody is answered"
        ),
    ] = None
    outbox: Annotated[
        OutboxSettings, Field(description="how much waits for receivers that are away")
    ] = OutboxSettings()

    @property
    def receivers(self) -> tuple[str, ...]:
        """The names of those that take entries of the outbox, in the order of the sections."""
        return tuple(name for name in RECEIVERS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _tells_somebody(self) -> Self:
        if all(getattr(self, name) is None for name in (*RECEIVERS, *LOOKED_AT)):
            raise advised(
                f"names nobody to tell: give it one of {', '.join((*RECEIVERS, *LOOKED_AT))}"
            )
        return self

    def keep(self, ledger: Path) -> Keep | None:
        """What the outboxes of the station with this `ledger` keep; None: nobody reads them."""
        if not self.receivers:
            return None
        return Keep(publisher_path(ledger), self.receivers, self.outbox.megabytes, self.outbox.days)


RECEIVERS = ("mqtt", "postgres", "epcis", "inventree")
"""The sections that take entries of the outbox, and so keep them in it until they have them."""
LOOKED_AT: tuple[str, ...] = ("metrics",)
"""The sections that take none, because somebody comes to look."""


def publisher_path(ledger: Path) -> Path:
    """The publisher's own file: how far each receiver is, and what was refused.

    Args:
        ledger: the path of the station's ledger.
    """
    return ledger.with_name(f"{ledger.stem}-publish.sqlite")
