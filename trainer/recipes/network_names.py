"""Which networks a recipe may name, found without importing Keras."""

from __future__ import annotations

from pathlib import Path

from edge.core.errors import UsageError
from edge.core.suggestions import did_you_mean

_NETWORKS = Path(__file__).parents[1] / "networks"


def network_names() -> list[str]:
    """The networks there are, found without importing Keras, which each of them does."""
    return sorted(file.stem for file in _NETWORKS.glob("[a-z]*.py"))


def check_network(name: str) -> None:
    """Passes the name of one of the networks.

    Raises:
        UsageError: there is no such network.
    """
    names = network_names()
    if name not in names:
        raise UsageError(f"network.name: there is no network {name!r}{did_you_mean(name, names)}")
