from __future__ import annotations

import re
from pathlib import Path

import edge.teaching.labelled_pictures as teaching
from edge.web.words.taking import fault_words, taking_words


def same(text: str) -> str:
    return text


def test_every_word_of_a_station_has_its_sentence() -> None:
    source = Path(teaching.__file__).read_text()
    words = set(re.findall(r'_NoPictureError\(\s*"(\w+)"', source))
    words |= set(re.findall(r'return "(\w+)"(?: if|$)', source, re.MULTILINE)) | {"folder"}
    assert len(words) > 7
    for word in words:
        notice = taking_words(word, "as it said", same)
        assert notice.text != "as it said", word
        assert not notice.foreign


def test_another_word_is_given_as_it_is() -> None:
    assert taking_words("eclipse", "the sun is gone", same).foreign
    assert fault_words("striped", same) == "striped"
    assert fault_words("blurred", same) == "blurred"
