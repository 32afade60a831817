from __future__ import annotations

from edge.web.people.tokens import form_token, is_form_token, new_seat


def test_the_parts_of_what_is_signed_cannot_run_into_one_another() -> None:
    assert form_token(b"k", "ab", "c") != form_token(b"k", "a", "bc")


def test_a_form_is_known_by_browser_and_session() -> None:
    seat = new_seat()
    token = form_token(b"k", seat, "session")
    assert is_form_token(token, b"k", seat, "session")
    assert not is_form_token(token, b"k", new_seat(), "session")
    assert not is_form_token(token, b"k", seat, "")
    assert not is_form_token(token, b"x", seat, "session")
    assert not is_form_token(form_token(b"k", "", ""), b"k", "", "")  # of a browser without a mark
