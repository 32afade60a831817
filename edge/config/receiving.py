"""`receiving` in a station file: how the station counts deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from edge.core.yaml_file import FilePath, Section, file_or_nothing


class ReceivingSettings(Section):
    """`receiving`: how deliveries are counted. With this section, the station counts the items that
    it sorts, while a delivery is open."""

    path: Annotated[
        FilePath | None,
        AfterValidator(lambda path: None if path is None else file_or_nothing(path)),
        Field(
            description="the SQLite file of deliveries, made where it is not there; without it, "
            "one beside the ledger, whose name ends in `-deliveries.sqlite`"
        ),
    ] = None
    count_by: Annotated[
        Literal["label", "code"],
        Field(
            description="what counts a piece: `label`, the station's accepted verdict; `code`, a "
            "scan, so that a piece which is both seen and scanned is counted once"
        ),
    ] = "label"
    mismatch_lane: Annotated[
        str | None,
        Field(
            description="where items go whose code says another thing than their picture; without "
            "it, the default lane. A lamp or a buzzer is a lane with a solenoid and no labels"
        ),
    ] = None
    wait_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="how long an item with a verdict waits for its code, while a delivery is "
            "open and the file has `codes`; never beyond its deadline, or its lane's moment",
        ),
    ] = 1.0
    pair_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="a scan by hand and an item that come within this time, the item without a "
            "code or with the same one, are one piece; 0: each is a piece of its own",
        ),
    ] = 2.0


def deliveries_path(settings: ReceivingSettings | None, ledger: Path) -> Path:
    """Where the file of deliveries is.

    Args:
        ledger: the path of the station's ledger.
    """
    if settings is not None and settings.path is not None:
        return settings.path
    return ledger.with_name(f"{ledger.stem}-deliveries.sqlite")
