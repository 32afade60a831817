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


def deliveries_path(settings: ReceivingSettings | None, ledger: Path) -> Path:
    """Where the file of deliveries is.

    Args:
        ledger: the path of the station's ledger.
    """
    if settings is not None and settings.path is not None:
        return settings.path
    return ledger.with_name(f"{ledger.stem}-deliveries.sqlite")
