"""`photographs` in a station file: which sorted items a photograph is kept of, and how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from edge.core.yaml_file import FilePath, Section, folder_or_nothing
from edge.core.yaml_messages import advised


class PhotographSettings(Section):
    """`photographs`: of which sorted items a photograph is kept, and how long. Without this
    section, none is kept."""

    items: Annotated[
        Literal["all", "rejected", "mismatch", "none"],
        Field(
            description="of which items a photograph is kept: of `all`; of those that were "
            "`rejected`; of those whose code is that of other goods than their picture shows "
            "(`mismatch`, which are rejected, too); or of `none`, but those that `share` chooses"
        ),
    ] = "rejected"
    share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="the share of the other items that is chosen by chance: 0.01 is one in a "
            "hundred",
        ),
    ] = 0.0
    path: Annotated[
        FilePath | None,
        AfterValidator(lambda path: None if path is None else folder_or_nothing(path)),
        Field(
            description="the folder of the photographs, made where it is not there; without it, "
            "one beside the ledger, whose name ends in `-photographs`"
        ),
    ] = None
    megabytes: Annotated[
        float,
        Field(gt=0, description="how much they may take; the oldest are deleted first"),
    ] = 1000.0
    days: Annotated[
        float,
        Field(gt=0, description="how many days each is kept; older ones are deleted"),
    ] = 30.0

    @model_validator(mode="after")
    def _of_some(self) -> Self:
        if self.items == "none" and self.share == 0:
            raise advised(
                "no photograph would be kept: give `share`, such as 0.01, or remove the section"
            )
        return self


def photographs_folder(settings: PhotographSettings | None, ledger: Path) -> Path:
    """The folder of the photographs that the rows of a ledger name.

    Args:
        settings: None: the station keeps none, or its file is not known.
        ledger: the path of the station's ledger.
    """
    if settings is not None and settings.path is not None:
        return settings.path
    return ledger.with_name(f"{ledger.stem}-photographs")
