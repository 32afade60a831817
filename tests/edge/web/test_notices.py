from __future__ import annotations

from edge.web import notices
from edge.web.notices import Notices, PageNotice


def test_a_notice_is_read_by_its_mark_alone() -> None:
    kept = Notices()
    mark = kept.keep(PageNotice("done", "Closed."))
    assert kept.read(mark) == PageNotice("done", "Closed.")
    assert kept.read("") is None
    assert kept.read("another") is None


def test_only_the_newest_are_kept() -> None:
    kept = Notices()
    marks = [kept.keep(PageNotice("done", str(one))) for one in range(notices._MOST + 1)]
    assert kept.read(marks[0]) is None
    assert kept.read(marks[1]) is not None
