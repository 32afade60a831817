"""`version` in a station file: which edition of its keys the file was written for.

A file without it is one of version 1. A later version of pilah that renames or moves a key raises
`NEWEST` by adding to `STEPS`, and all that reads station files goes on reading the older ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from edge import __version__
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import FileProblem, shown

Step = Callable[[dict[Any, Any]], None]
"""Changes the content of a station file of one version into that of the next, in place."""

STEPS: Sequence[Step] = ()
"""The first makes version 1 into version 2, and so on."""
NEWEST = 1 + len(STEPS)


def migrate(file: YamlFile, steps: Sequence[Step] = STEPS) -> None:
    """Makes the content of a station file that of the newest version.

    Raises:
        ConfigError: it is written for a version that this pilah does not read.
    """
    newest = 1 + len(steps)
    version = file.content.get("version", 1)
    known = f"reads {'1' if newest == 1 else f'1 to {newest}'}"
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        message = (
            f"must be the whole number of a version; pilah {__version__} {known}. Received: "
            f"{shown(version)}: write 1, or remove the line"
        )
        raise file.error([FileProblem(("version",), message)])
    if version > newest:
        message = (
            f"the file is of version {version}, and pilah {__version__} {known}: install the "
            f"newer pilah that it was written for, or write it for version {newest} "
            "(`pilah-edge schema` lists the keys of that)"
        )
        raise file.error([FileProblem(("version",), message)])
    for step in steps[version - 1 :]:
        step(file.content)
    if "version" in file.content:
        file.content["version"] = newest
