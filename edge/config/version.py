"""`version` in a station file: which edition of its keys the file was written for.

A file without it has version 1. A later release of pilah that renames or moves a key raises
`NEWEST` by adding a function to `STEPS`; every command can then still read the older files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from edge import __version__
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import FileProblem, shown

Step = Callable[[dict[Any, Any]], None]
"""A function that changes the content of a station file of one version into that of the next, in
place."""

STEPS: Sequence[Step] = ()
"""The first function makes version 2 of version 1, and so on."""
NEWEST = 1 + len(STEPS)


def migrate(file: YamlFile, steps: Sequence[Step] = STEPS) -> None:
    """Changes the content of a station file into that of the newest version, in place.

    Raises:
        ConfigError: the file is written for a version that this release of pilah cannot read.
    """
    newest = 1 + len(steps)
    version = file.content.get("version", 1)
    known = f"reads {'1' if newest == 1 else f'1 to {newest}'}"
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        message = (
            f"must be a version of the station file's keys, a whole number; pilah {__version__} "
            f"{known}. Received: {shown(version)}: write 1, or remove the line"
        )
        raise file.error([FileProblem(("version",), message)])
    if version > newest:
        message = (
            f"the file has version {version}, and pilah {__version__} {known}: install the newer "
            f"pilah that the file was written for, or rewrite it for version {newest} "
            "(`pilah-edge schema` lists the keys of that version)"
        )
        raise file.error([FileProblem(("version",), message)])
    for step in steps[version - 1 :]:
        step(file.content)
    if "version" in file.content:
        file.content["version"] = newest
