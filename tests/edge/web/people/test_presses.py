from __future__ import annotations

from edge.web.people.presses import _MOST, Presses, new_press


def test_what_is_sent_twice_from_one_page_is_repeated() -> None:
    presses, first, second = Presses(), new_press(), new_press()
    assert [presses.is_repeated(mark) for mark in (first, second, first, "x" * 99, "x" * 99)] == [
        False, False, True, False, True,
    ]  # fmt: skip


def test_a_form_without_a_mark_is_no_repeated_one() -> None:
    presses = Presses()
    assert not presses.is_repeated("")
    assert not presses.is_repeated("")


def test_no_more_marks_are_kept_than_so_many() -> None:
    presses = Presses()
    for number in range(_MOST + 1):
        presses.is_repeated(f"{number}")
    assert presses.is_repeated(f"{_MOST}")
    assert not presses.is_repeated("0")
