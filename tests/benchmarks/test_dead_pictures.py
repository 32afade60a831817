"""Dead pictures of a stream, before a whole station in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.dead_pictures import KINDS, watch


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_dead_picture_of_a_stream_is_named_and_no_item_accepted(
    kind: str, tmp_path: Path
) -> None:
    found = watch(KINDS[kind], tmp_path, patience=120)
    assert KINDS[kind].says in found.said
    assert (found.accepted, found.before >= 20) == (0, True), found.said
    # Where each picture is damaged there are no more items to be rejected.
    assert found.rejected > 0 or "it is being reopened" in found.said
