"""`ledger` in a station file: where a row for every item is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from edge.core.yaml_file import FilePath, Section, file_or_nothing
from edge.core.yaml_messages import advised

NO_SPILL = Path()
"""What `spill: none` is read as."""


class LedgerSettings(Section):
    """`ledger`: where a row for every item is kept."""

    # That its folder is missing is no mistake of the file: its disk may come, and a station sorts.
    path: Annotated[
        FilePath,
        AfterValidator(file_or_nothing),
        Field(description="the SQLite file, made where it is not there"),
    ]
    commit_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="how long rows may wait to be written together, which wears a card less; "
            "a power cut takes the rows of so many seconds. 0: each row is written at once",
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
