"""What is counted is singular for one."""

from __future__ import annotations

import pytest

from edge.core.terminal.wording import in_a_list, in_a_sentence, number_of


@pytest.mark.parametrize(
    ("count", "things", "said"),
    [
        (0, "outputs", "0 outputs"),
        (1, "outputs", "1 output"),
        (2, "outputs", "2 outputs"),
        (1234, "pictures", "1,234 pictures"),
        (1, "classes", "1 class"),
        (1, "copies", "1 copy"),
        (1, "HEIC pictures", "1 HEIC picture"),
        (1, ".xls files", "1 .xls file"),
        (1, "Git LFS pointers", "1 Git LFS pointer"),
        (1, "files without an ending", "1 file without an ending"),
        (1, "links to folders that were read", "1 link to folders that were read"),
        (1, "devices, pipes or sockets", "1 device, pipe or socket"),
        (1, "unfinished downloads", "1 unfinished download"),
    ],
)
def test_a_number_goes_with_its_noun(count: int, things: str, said: str) -> None:
    assert number_of(count, things) == said


@pytest.mark.parametrize(
    ("count", "verb", "said"),
    [
        (1, "are", "1 picture is"),
        (1, "have", "1 picture has"),
        (1, "lie", "1 picture lies"),
        (2, "lie", "2 pictures lie"),
    ],
)
def test_a_verb_goes_with_its_number(count: int, verb: str, said: str) -> None:
    assert number_of(count, "pictures", verb=verb) == said


@pytest.mark.parametrize(
    ("names", "sentence", "several"),
    [
        ("a", "a", "a"),
        ("ab", "a and b", "a, b"),
        ("abcd", "a, b, c and d", "a, b, c, d"),
        ("abcde", "a, b, c, d and 1 more", "a, b, c, d, e"),
        ("abcdefg", "a, b, c, d and 3 more", "a, b, c, d, e and 2 more"),
    ],
)
def test_of_many_names_the_first_are_given(names: str, sentence: str, several: str) -> None:
    assert in_a_sentence(list(names)) == sentence
    assert in_a_list(list(names)) == several
