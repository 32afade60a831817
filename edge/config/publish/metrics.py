"""`metrics` under `publish` in a station file: figures for whoever comes to look."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from edge.config.serving.address import Address, address_reader
from edge.core.yaml_file import Section

PORT = 9477
"""That of an exporter of Prometheus which nobody else has claimed."""


class MetricsSettings(Section):
    """`metrics`: figures of the station at `/metrics`, for Prometheus, and whether it is well at
    `/readyz`."""

    listen: Annotated[
        Address,
        BeforeValidator(address_reader(PORT), json_schema_input_type=str),
        Field(
            description="the address and port where it answers, by HTTP, without a password: who "
            "reaches it reads the figures"
        ),
    ] = Address("127.0.0.1", PORT)
