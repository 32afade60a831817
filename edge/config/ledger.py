"""`ledger` in a station file: where a row for every item is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from edge.core.yaml_file import FilePath, Section, file_or_nothing
from edge.core.yaml_messages import advised

NO_SPILL = Path()
"""The value of `spill` for a file that says `spill: none`."""


class LedgerSettings(Section):
    """`ledger`: where a row for every item is kept."""

    # A missing folder is no mistake in the file: its disk may be mounted later, and the station
    # sorts meanwhile.
    path: Annotated[
        FilePath,
        AfterValidator(file_or_nothing),
        Field(description="the SQLite file; it is created if it does not exist"),
    ]
    commit_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="how many seconds rows may wait so that they are written together, which "
            "wears an SD card less; a power cut loses the rows of this time. 0: each row is "
            "written at once",
        ),
    ] = 1.0
    spill: Annotated[
        FilePath | None,
        BeforeValidator(lambda received: NO_SPILL if received == "none" else received),
        Field(
            description="a file on another disk, where rows wait while the ledger cannot be "
            "written, or `none`; without it, one in memory"
        ),
    ] = None

    @model_validator(mode="after")
    def _two_files(self) -> Self:
        if self.spill == self.path:
            raise advised(f"spill is the ledger itself ({self.path}): name a file on another disk")
        return self
