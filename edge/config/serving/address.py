"""Where a server listens, as a station file writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from edge.core.yaml_messages import advised


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address_reader(example: int) -> Callable[[object], Address]:
    """Reads an address; messages show one with the port `example`."""

    def address(received: object) -> Address:
        if isinstance(received, Address):
            return received
        host, colon, port = str(received).rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
            raise advised(
                f"must be an address and a port, such as 127.0.0.1:{example}, or "
                f"0.0.0.0:{example} for every machine of the network. Received: {received}"
            )
        return Address(host, int(port))

    return address
