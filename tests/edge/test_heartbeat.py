from __future__ import annotations

from edge.heartbeat import Heartbeat


def test_only_a_thread_at_work_can_be_silent() -> None:
    now = [100.0]
    heartbeat = Heartbeat(lambda: now[0])
    assert heartbeat.silent_seconds == 0
    with heartbeat.working():
        now[0] = 107.0
        assert heartbeat.silent_seconds == 7
        heartbeat.beat()
        now[0] = 109.0
        assert heartbeat.silent_seconds == 2
    assert heartbeat.silent_seconds == 0
