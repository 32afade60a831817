"""What is closed by a block is closed whatever happens in it."""

from __future__ import annotations

import pytest

from edge.core.closing import Closing


class Counted(Closing):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_the_end_of_the_block_closes() -> None:
    with Counted() as thing:
        assert thing.closed == 0
    assert thing.closed == 1


def test_an_error_closes_and_goes_on() -> None:
    thing = Counted()
    with pytest.raises(ValueError, match="of the block"), thing:
        raise ValueError("of the block")
    assert thing.closed == 1
