"""A ledger of this pilah can still be written and read by those of before, installed as a wheel.

Migrations expand first: they add tables and columns, and contract one release later. A station that
goes back to the pilah of before goes on with its ledger; and after the next update, so does this
one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge.events import CameraLost
from edge.ledger.export.reading import read_items
from edge.ledger.recovering import RecoveringLedger
from edge.ledger.rows import id_of_old_item
from edge.ledger.schema import OLDEST_WRITER
from tests.edge.ledger.entries import actuation, correction, entry

ROOT = Path(__file__).parents[3]

RELEASES = {
    "0003": "a6c1cc751de7fdc5e10b9af7bcd41f4e29790644",
    "0004": "f9d3714288e20b81d874c466cda2d86957f2c39a",
    "0005": "ec8d151b544f7973a470015b9c907db82e8247e2",
}
"""The last commit of each schema that this pilah lets write its ledgers (`OLDEST_WRITER`)."""

WRITE_AND_READ = """
import inspect, json, sys
from pathlib import Path
import edge
from edge.ledger.kept import KeptLedger
from edge.ledger.ledger import Ledger
try:
    from edge.events import ItemSorted as Item
except ImportError:  # it had no events
    from edge.ledger.rows import Entry as Item
path, row = Path(sys.argv[1]), json.loads(sys.argv[2])
names = Item.__dataclass_fields__
said = []
say = {"say": said.append} if "say" in inspect.signature(KeptLedger).parameters else {}
with KeptLedger(path, **say) as ledger:
    ledger.append([Item(**{name: row[name] for name in row if name in names})])
with Ledger(path) as ledger:
    items = [item.item for item in ledger.entries()]
    print(json.dumps([edge.__file__, items, len(list(ledger.actuations())), said]))
"""


def wheel_of(commit: str, folder: Path) -> Path:
    """A folder with what the wheel of `commit` installs."""
    asked = ["git", "cat-file", "-e", f"{commit}^{{commit}}"]
    if subprocess.run(asked, cwd=ROOT, capture_output=True, check=False).returncode != 0:
        pytest.skip(f"the commit {commit[:8]} is not here: this is a shallow clone, or none at all")
    sources, unpacked = folder / "sources", folder / "unpacked"
    sources.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit, "edge", "trainer", "converter", "pyproject.toml", "README.md",
         "LICENSE"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    subprocess.run(["tar", "-x", "-C", sources], input=archive, check=True)
    # With the setuptools of this environment: an isolated build would ask the registry for one.
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [sys.executable, "-m", "pip", *words, "--wheel-dir", folder, sources],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(unpacked)
    return unpacked


def write_and_read(installed: Path, ledger: Path, row: dict[str, Any]) -> tuple[list[int], int]:
    """The items, and how many actuations, that the pilah in `installed` reads in `ledger` after it
    has written `row`."""
    done = subprocess.run(
        [sys.executable, "-c", WRITE_AND_READ, str(ledger), json.dumps(row)],
        cwd=ledger.parent,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    module, items, actuations, said = json.loads(done.stdout)
    assert (said, done.stderr) == ([], "")  # it did not take the ledger for a damaged one
    assert Path(module).is_relative_to(installed)
    return items, actuations


@pytest.mark.slow
@pytest.mark.parametrize("schema", RELEASES)
def test_the_release_of_before_writes_and_reads_this_ledger_and_this_one_goes_on(
    schema: str, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    lost = CameraLost("9", "2026-11-21T23:04:36.123456Z", "bin-1", "/dev/video0")
    full = entry(1, delivery_id="d-1", barcode="4006381333931", quantity=6, photograph="a/b.jpg",
                 monotonic=3.5, boot_id="b", clock_synchronised=True)  # fmt: skip
    with RecoveringLedger(ledger) as ours:
        ours.append([full, actuation(1), lost, correction(1, "label", "can", "jar")])
    installed = wheel_of(RELEASES[schema], tmp_path)
    theirs = {name: getattr(full, name) for name in entry(2).__dataclass_fields__}
    theirs |= {"item": 2, "id": entry(2).id, "source": "2.jpg"}
    assert write_and_read(installed, ledger, theirs) == ([1, 2], 1)
    with RecoveringLedger(ledger) as ours:
        ours.append([entry(3)])
    first, second, third = sorted(read_items(ledger), key=lambda found: found.row["item"])
    assert first.row | {"actuation": None} == (
        first.row | {"id": full.id, "delivery_id": "d-1", "quantity": 6, "actuation": None}
    )
    assert first.corrected == {"label": "jar"}
    old = id_of_old_item(full.time, full.station, 2)
    assert second.row["id"] == (old if schema == "0003" else entry(2).id)
    assert third.row["id"] == entry(3).id


def test_the_oldest_schema_that_may_write_this_ledger_is_tried() -> None:
    assert min(RELEASES) == OLDEST_WRITER
