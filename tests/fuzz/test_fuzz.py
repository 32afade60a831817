"""The short form of `make fuzz`: every target takes a few hundred changed seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.target import Target, names, target


def _changed(found: Target) -> st.SearchStrategy[bytes]:
    """Seeds of which pieces were replaced, put in, or cut out."""
    piece = st.binary(max_size=8)
    if found.words:
        piece |= st.sampled_from(found.words)
    place = st.integers(0, found.longest)
    edits = st.lists(st.tuples(place, st.integers(0, 64), piece), max_size=4)

    def edit(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, new in edits:
            start = at % (len(seed) + 1)
            seed = seed[:start] + new + seed[start + length :]
        return seed[: found.longest]

    return st.builds(edit, st.sampled_from(list(found.seeds())), edits)


@pytest.mark.parametrize("name", names())
def test_a_changed_input_is_read_or_refused(name: str) -> None:
    found = target(name)

    @settings(
        max_examples=300,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_changed(found))
    def feed(content: bytes) -> None:
        found.feed(content)

    feed()


@pytest.mark.parametrize("name", names())
def test_every_seed_is_read_or_refused(name: str) -> None:
    found = target(name)
    for seed in found.seeds():
        found.feed(seed)


def test_a_reader_that_fails_is_found() -> None:
    def feed(content: bytes) -> None:
        assert b"<" not in content

    @settings(database=None, derandomize=True)
    @given(_changed(Target(feed, lambda: [b"abc"], words=(b"<",))))
    def run(content: bytes) -> None:
        feed(content)

    with pytest.raises(AssertionError):
        run()


def test_every_module_here_is_a_target() -> None:
    modules = {path.stem for path in Path(__file__).parent.glob("*.py")}
    assert set(names()) == modules - {"__init__", "__main__", "target", "test_fuzz"}
    assert "pictures" in names()
