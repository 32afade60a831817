from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from edge.config.serving.address import Address, address_reader


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8040", ("127.0.0.1", 8040)), ("[::1]:1", ("::1", 1)), ("pi:80", ("pi", 80))],
)  # fmt: skip
def test_an_address_is_written_as_it_is_read(text: str, address: tuple[str, int]) -> None:
    found = address_reader(8040)(text)
    assert found == address
    assert str(found) == text
    assert address_reader(8040)(found) is found


@pytest.mark.parametrize("text", ["", "8040", ":8040", "host:", "host:0", "host:65536", "host:x"])
def test_another_one_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(PydanticCustomError, match=r"such as 127\.0\.0\.1:8040"):
        address_reader(8040)(text)


def test_an_address_is_a_value() -> None:
    assert Address("a", 1) == Address("a", 1)
