"""`outbox` under `publish` in a station file: how much waits for receivers that are away."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.core.yaml_file import Section


class OutboxSettings(Section):
    """`outbox`: how much waits for receivers that are away. The oldest beyond it are dropped from
    the outbox, and counted; their rows stay in the ledger."""

    megabytes: Annotated[
        float,
        Field(
            ge=1,
            le=100_000,
            description="how many megabytes wait at most, in each of the two files that have an "
            "outbox; an item takes about half a kilobyte",
        ),
    ] = 200.0
    days: Annotated[
        float, Field(gt=0, le=3650, description="how many days an entry waits at most")
    ] = 30.0
