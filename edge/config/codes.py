"""`codes` in a station file: codes that are read in the pictures of items."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.core.yaml_file import Section

CodeFormat = Literal["ean13", "ean8", "upca", "code128", "qr", "data_matrix"]

_USUAL: tuple[CodeFormat, ...] = ("ean13",)


class CodesSettings(Section):
    """`codes`: codes that are read in the pictures of items. Needs the extra `codes`."""

    formats: Annotated[
        list[CodeFormat],
        Field(
            min_length=1,
            description="which codes the goods have; each takes time, so name no others",
        ),
    ] = Field(default_factory=lambda: [*_USUAL])
    where: Annotated[
        Literal["item", "region"],
        Field(
            description="item: in the item's own box, where the trigger tells one; region: in all "
            "of the region"
        ),
    ] = "item"
    ladder: Annotated[
        bool,
        Field(
            description="whether turned and enlarged copies are tried where the plain picture "
            "shows no code"
        ),
    ] = True
