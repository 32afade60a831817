from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from edge.runtime.clock_state import CachedClockState, boot_id, clock_is_synchronised


def test_the_kernel_is_asked_for_its_clock() -> None:
    assert clock_is_synchronised() in (True, False, None)


def test_the_boot_has_an_id_where_the_kernel_tells_it(tmp_path: Path) -> None:
    told = tmp_path / "boot_id"
    assert boot_id(told) is None
    told.write_text("59f1a4b2-6a0e-4d2c-8d0d-0d7cf9a4c0de\n")
    assert uuid.UUID(boot_id(told)) == uuid.UUID("59f1a4b2-6a0e-4d2c-8d0d-0d7cf9a4c0de")


@pytest.mark.parametrize("then", [True, False, None])
def test_the_kernel_is_asked_once_in_ten_seconds(then: bool | None) -> None:
    now, answers = [0.0], [False, then]
    state = CachedClockState(lambda: now[0], ask=lambda: answers.pop(0))
    for now[0] in (0.0, 5.0, 9.9):
        assert state() is False
    for now[0] in (10.0, 15.0, 19.9):  # a third question would find no answer
        assert state() is then
