from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from edge.config.serving.pages import WebSettings


def test_without_more_the_pages_are_for_this_machine_alone() -> None:
    assert str(WebSettings().listen) == "127.0.0.1:8040"
    assert all(field.description for field in WebSettings.model_fields.values())


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"listen": "0.0.0.0"}, "such as 127.0.0.1:8040"),
        ({"certificate_file": "a.pem"}, "certificate_file and key_file go together"),
        ({"key_file": "a.key"}, "certificate_file and key_file go together"),
        ({"names": {"Indonesia": {"glass": "kaca"}}}, "a language is two or three small letters"),
        ({"names": {"id": {"glass": ""}}}, "at least 1 character"),
        ({"names": {"id": {"glass": "x" * 61}}}, "at most 60 characters"),
        ({"password": "secret"}, "Extra inputs"),
    ],
)
def test_a_mistake_is_told(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        WebSettings.model_validate(section)
