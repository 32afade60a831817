from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from edge.config.publish.web import EpcisSettings, InvenTreeSettings


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://epcis.example/base/", "https://epcis.example/base"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x"),
    ],
)
def test_an_address_is_kept_without_its_last_slash(url: str, kept: str) -> None:
    assert EpcisSettings.model_validate({"url": url}).url == kept


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("epcis.example", "such as https://host/path"),
        ("ftp://host", "such as https://host/path"),
        ("https://", "such as https://host/path"),
        ("https://host:70000", "such as https://host/path"),
        ("https://host/?q=1", "such as https://host/path"),
        ("https://ana:s3cret@host/", "put these into a file"),
    ],
)
def test_another_one_is_refused_without_the_password_in_it(url: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says) as raised:
        EpcisSettings.model_validate({"url": url})
    assert "s3cret" not in raised.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"username": "ana"}, "username and password_file go together"),
        ({"password_file": "p"}, "username and password_file go together"),
        ({"username": "ana", "password_file": "p", "token_file": "t"}, "give one"),
    ],
)
def test_there_is_one_way_to_log_in(values: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        EpcisSettings.model_validate({"url": "https://host", **values})


def test_inventree_needs_a_token() -> None:
    with pytest.raises(ValidationError, match="token_file"):
        InvenTreeSettings.model_validate({"url": "https://host"})
