"""Whether the packages of the extra `codes` are installed."""

from __future__ import annotations

import importlib.util

from edge.core.errors import CodesMissingError
from edge.core.terminal.hints import install_command

_PACKAGES = ("zxingcpp", "biip")


def require_packages() -> None:
    """Passes where codes can be read; to be called before another module of this room is imported.

    Raises:
        CodesMissingError: a package is not installed.
    """
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise CodesMissingError(
                "reading codes (the section `codes` of a station file) needs the package "
                f"{package!r}, which is not installed: {install_command('codes')}"
            )
