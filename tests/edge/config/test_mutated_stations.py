"""`pilah-edge check` on station files with pieces changed: 0 or 78, and no password printed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_OK
from tests.edge.stations import make_station
from tests.fuzz.stations import TARGET, check_said, seeds


def changed(seed: bytes, chance: random.Random) -> bytes:
    """`seed` with up to five pieces replaced, put in, cut out or repeated elsewhere."""
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
        at, length = chance.randrange(len(seed) + 1), chance.choice((0, 0, 1, 3, 8, 30))
        begin = chance.randrange(len(seed) + 1)
        new = chance.choice(
            (
                chance.choice(TARGET.words),
                chance.randbytes(chance.randrange(4)),
                seed[begin : begin + chance.randrange(40)],
            )
        )
        seed = seed[:at] + new + seed[at + length :]
    return seed


@pytest.mark.parametrize(
    "count", [60, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_a_changed_station_file_is_right_or_wrong_and_nothing_else(
    count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path)
    chance, files = random.Random(count), seeds()
    codes = set()
    for number in range(count):
        content = changed(files[number % len(files)], chance)
        station.write_bytes(content)
        code = main(["check", str(station)])
        said = capsys.readouterr()
        assert code in (EXIT_OK, EXIT_CONFIG), content
        check_said(content, said.out + said.err)
        codes.add(code)
    assert codes == {EXIT_OK, EXIT_CONFIG}
