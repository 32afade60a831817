"""The metrics of a station, as the section `publish` of its file asks for them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.config.publish.metrics import MetricsSettings
from edge.config.publish.section import PublishSettings
from edge.config.reading import read_part
from edge.config.station import ReceivingConfig, RecordsConfig
from edge.core.errors import PublisherFileError
from edge.publish.metrics.exposition import ReceiverFigures, StationMetrics
from edge.publish.metrics.server import MetricsServer
from edge.publish.status import status_of

_log = logging.getLogger(__name__)


def open_metrics(
    settings: MetricsSettings, publish: PublishSettings, file: Path, *, stopping: threading.Event
) -> MetricsServer:
    """A server of the metrics of the station that `file` describes.

    Args:
        publish: the whole section, whose receivers have metrics too.
        stopping: set when the server is to end.

    Raises:
        ConfigError: the lanes of the station file have mistakes.
    """
    _, config = read_part(file, ReceivingConfig)
    metrics = StationMetrics(
        config.station,
        config.ledger.path,
        lanes={name: lane.labels for name, lane in config.lanes.items()},
        receivers=lambda: receiver_figures(config, publish),
    )
    return MetricsServer(settings.listen, metrics, stopping=stopping)


def receiver_figures(config: RecordsConfig, publish: PublishSettings) -> list[ReceiverFigures]:
    """The figures of all receivers from the publisher's file; none if it cannot be read now."""
    try:
        found = status_of(config, publish)
    except PublisherFileError as error:
        _log.debug(f"metrics: {error}")
        return []
    return [_figures(name, receiver) for name, receiver in found["receivers"].items()]


def _figures(name: str, receiver: Mapping[str, Any]) -> ReceiverFigures:
    boxes = receiver["outboxes"].values()
    waiting = [box["waiting"] for box in boxes]
    return ReceiverFigures(
        name,
        sent=sum(box["sent"] for box in boxes),
        refused=sum(box["refused"] for box in boxes),
        dropped=sum(box["dropped"] for box in boxes),
        waiting=None if None in waiting else sum(waiting),
        trouble=receiver["trouble"],
    )
