from __future__ import annotations

import re
from pathlib import Path

import pytest

import edge.receiving.desk as desk
import edge.receiving.named as named
from edge.core.errors import DeliveryRefusedError, StorageError, UsageError
from edge.core.terminal.sentence import Sentence
from edge.receiving.state import Phase
from edge.web.language.languages import read_languages
from edge.web.words.refusals import refusal_notice

INDONESIAN = read_languages()["id"].gettext
TEXTS = "".join(Path(str(one.__file__)).read_text() for one in (desk, named))
KINDS = sorted(set(re.findall(r'kind="(\w+)"', TEXTS)))
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


@pytest.mark.parametrize("phase", Phase)
def test_the_particulars_are_said_in_the_language_of_the_page(phase: Phase) -> None:
    said = Sentence("the delivery {name} is {phase}, not closed", name="D1", phase=phase.words)
    english, other = (refusal_notice(DeliveryRefusedError(said), to) for to in (str, INDONESIAN))
    assert (english.detail, english.detail_foreign) == (str(said), False)
    assert (other.detail_foreign, "D1" in other.detail) == (False, True)
    assert phase.words not in other.detail


def test_there_are_kinds() -> None:
    assert len(KINDS) == 9
