"""`metrics` under `publish` in a station file: figures for whoever comes to look."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised

PORT = 9477
"""That of an exporter of Prometheus which nobody else has claimed."""


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _address(received: object) -> Address:
    if isinstance(received, Address):
        return received
    host, colon, port = str(received).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise advised(
            f"must be an address and a port, such as 127.0.0.1:{PORT}, or 0.0.0.0:{PORT} for every "
            f"machine of the network. Received: {received}"
        )
    return Address(host, int(port))


class MetricsSettings(Section):
    """`metrics`: figures of the station at `/metrics`, for Prometheus, and whether it is well at
    `/readyz`."""

    listen: Annotated[
        Address,
        BeforeValidator(_address, json_schema_input_type=str),
        Field(
            description="the address and port where it answers, by HTTP, without a password: who "
            "reaches it reads the figures"
        ),
    ] = Address("127.0.0.1", PORT)
