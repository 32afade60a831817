"""`scanner` in a station file: a hand scanner that types what it reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.core.yaml_file import FilePath, Section


class ScannerSettings(Section):
    """`scanner`: a hand scanner that types what it reads, as a keyboard with the US layout."""

    kind: Annotated[
        Literal["device", "pipe"],
        Field(
            description="device: an input device of Linux, whose keys go to pilah alone; pipe: a "
            "named pipe or a file of its events, to try things out"
        ),
    ] = "device"
    path: Annotated[
        FilePath,
        Field(
            description="the device: its link in /dev/input/by-id that ends with -event-kbd, which "
            "stays the same; or the pipe"
        ),
    ]
    silence_seconds: Annotated[
        float,
        Field(
            ge=0.01,
            le=5,
            description="a code without a line end is whole when no key followed for so long",
        ),
    ] = 0.06
    repeat_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="the same code again within this time is the same scan; 0: each counts",
        ),
    ] = 0.4
    lengths: Annotated[
        list[Annotated[int, Field(ge=8, le=20)]],
        Field(
            max_length=4,
            description="how many digits codes have that may run together, such as [13]: they are "
            "divided where each then has GS1's check digit; without it, nothing is divided",
        ),
    ] = Field(default_factory=list)
