from __future__ import annotations

import pytest

from edge.publish import settled as module
from edge.publish.receiver import Entry, ReceiverUnavailable
from edge.publish.settled import Settled


def entries(*numbers: int) -> list[Entry]:
    return [Entry(number, f"id {number}", "item", "2026", "bin-1", {}) for number in numbers]


def test_what_was_settled_at_one_attempt_is_not_sent_at_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch, settled = entries(1, 2, 3), Settled()
    assert settled.begin(batch) == batch
    settled.settle(batch[0])
    settled.settle(batch[1], "too large")
    monkeypatch.setattr(module, "SEND_SECONDS", -1.0)
    assert settled.begin(batch) == [batch[2]]
    with pytest.raises(ReceiverUnavailable, match="slowly"):
        settled.check_time()
    monkeypatch.undo()
    assert settled.begin(batch) == [batch[2]]
    settled.check_time()
    settled.settle(batch[2])
    assert [(one.entry, one.reason) for one in settled.end(batch)] == [(batch[1], "too large")]
    assert settled.begin(batch) == batch  # the next batch begins anew


def test_a_batch_that_comes_in_between_unsettles_no_other() -> None:
    batch, between, settled = entries(1, 2), entries(3), Settled()
    settled.begin(batch)
    settled.settle(batch[0], "too large")
    settled.begin(between)
    settled.settle(between[0])
    assert settled.end(between) == []
    assert settled.begin(batch) == [batch[1]]
    settled.settle(batch[1])
    assert [one.entry for one in settled.end(batch)] == [batch[0]]
