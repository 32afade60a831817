"""A station that installs signed bundles, for tests."""

from __future__ import annotations

from pathlib import Path

from tests.bundles import make_bundle
from tests.edge.stations import STATION, make_station
from tests.signatures import OURS, Key

PINNED = STATION.replace("bundle: bundle\n", "bundle: model\ntrust: {public_keys: [ours.pub]}\n")
"""A station file that pins the key OURS; nothing is installed at `model` yet."""
OPEN = STATION.replace("bundle: bundle\n", "bundle: model\n")
"""The same without a key."""


def make_pinned(folder: Path, *, text: str = PINNED) -> Path:
    """Writes a station that has no bundle yet, and returns its file."""
    bundle = make_bundle(folder / "made")
    file = make_station(folder, text=text, bundle=bundle)
    (folder / "ours.pub").write_bytes(OURS.public_pem)
    return file


def make_signed(folder: Path, version: str, *, key: Key | None = OURS, name: str = "tiny") -> Path:
    """Makes a bundle of this version in `folder`, signed unless `key` is None."""
    bundle = make_bundle(folder / f"{name} {version}", version=version, name=name)
    return bundle if key is None else key.sign(bundle)
