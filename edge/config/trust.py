"""`trust` in a station file: whose bundles the station loads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.core.errors import PublicKeyError, StorageError
from edge.core.files import may_come_back, read_regular, storage_errors
from edge.core.model.signature import LARGEST_KEY, PublicKey, read_public_key
from edge.core.yaml_file import FilePath, Section, YamlFile
from edge.core.yaml_messages import FileProblem


class Trust(Section):
    """`trust`: without this section every bundle is loaded, signed or not."""

    public_keys: Annotated[
        list[FilePath],
        Field(
            min_length=1,
            description="public key files made by `pilah-converter keygen`; only a bundle that one "
            "of these keys signed is loaded",
        ),
    ]


def pinned_keys(file: YamlFile) -> tuple[tuple[PublicKey, ...] | None, list[FileProblem]]:
    """Reads the public keys that a station file pins.

    Returns:
        The keys, empty if the file has no `trust` section, and the problems found. The keys are
        None if anything is wrong: a key that cannot be read must not become "no key pinned".
        Mistakes in the section's form are reported by `YamlFile.check`, except an empty section.
    """
    if "trust" not in file.content:
        return (), []
    if file.content["trust"] is None:
        return None, [FileProblem(("trust",), "is empty: give it public_keys, or remove the line")]
    names = file.value(("trust", "public_keys"))
    if not isinstance(names, list) or not names:
        return None, []
    keys: list[PublicKey] = []
    problems: list[FileProblem] = []
    for index in range(len(names)):
        path = file.path_at(("trust", "public_keys", index))
        if path is None:
            return None, problems
        try:
            with storage_errors("read", path):
                pem = read_regular(path, largest=LARGEST_KEY)
            keys.append(read_public_key(pem, name=str(path)))
        except (PublicKeyError, StorageError) as error:
            passing = isinstance(error, StorageError) and may_come_back(path, error.__cause__)
            problems.append(
                FileProblem(("trust", "public_keys", index), str(error), passing=passing)
            )
    return (None if problems else tuple(keys)), problems
