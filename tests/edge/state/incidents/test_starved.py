"""A station to which nothing comes."""

from __future__ import annotations

from edge.state.incidents.notice import Notice
from edge.state.incidents.starved import Starvation


def test_it_is_starved_when_nothing_came_for_the_time_and_until_something_comes() -> None:
    starvation = Starvation(60)
    starvation.sorts(0)
    assert list(starvation.seen(30)) == []
    assert starvation.next_at == 90
    assert list(starvation.notices(89.9)) == []
    assert list(starvation.notices(90.2)) == [Notice("starved", True, 90)]
    starvation.stands()
    assert list(starvation.notices(500)) == []
    assert list(starvation.seen(600)) == [Notice("starved", False, 600)]
    starvation.sorts(600)
    assert starvation.next_at == 660


def test_while_it_stands_for_another_reason_nothing_is_expected() -> None:
    starvation = Starvation(60)
    starvation.sorts(0)
    starvation.stands()
    assert starvation.next_at is None
    assert list(starvation.notices(1000)) == []
    assert list(starvation.seen(1000)) == []
    starvation.sorts(1010)
    assert starvation.next_at == 1070
