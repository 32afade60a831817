from __future__ import annotations

import re
from pathlib import Path

import pytest

import edge.receiving.desk as desk
from edge.core.errors import DeliveryRefusedError, StorageError, UsageError
from edge.web.language.languages import read_languages
from edge.web.words.refusals import refusal_notice

INDONESIAN = read_languages()["id"].gettext
KINDS = sorted(set(re.findall(r'kind="(\w+)"', Path(desk.__file__).read_text())))
OTHERWISE = "Not done: this delivery does not allow it."


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_words_of_its_own_in_each_language(kind: str) -> None:
    error = DeliveryRefusedError("D1 is closed")
    error.kind = kind
    english, other = (refusal_notice(error, said) for said in (str, INDONESIAN))
    assert english.text != OTHERWISE
    assert other.text != english.text
    assert (other.detail, other.foreign) == ("D1 is closed", False)


@pytest.mark.parametrize(
    "error",
    [DeliveryRefusedError("no"), UsageError("no"),
     StorageError("no")],
)  # fmt: skip
def test_whatever_is_refused_is_said_in_the_language_of_the_page(error: Exception) -> None:
    notice = refusal_notice(error, INDONESIAN)  # type: ignore[arg-type]
    assert notice.text.startswith("Tidak")
    assert notice.detail == "no"


def test_there_are_kinds() -> None:
    assert len(KINDS) == 9
