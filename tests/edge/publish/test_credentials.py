from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from edge.core.errors import ReceiverSetupError
from edge.publish.credentials import read_secret, read_token, trusting


@pytest.mark.parametrize(
    ("raw", "secret"),
    [
        (b"s3cret\n", "s3cret"),
        (b"s3cret", "s3cret"),
        (b"\xef\xbb\xbfs3cret\r\n", "s3cret"),
        (b" s3 cret \r\nsecond line\n", " s3 cret "),
    ],
)
def test_the_secret_is_the_first_line_as_it_is(tmp_path: Path, raw: bytes, secret: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(raw)
    assert read_secret(file, "k") == secret


def test_certificates_that_cannot_be_read_are_an_error_with_their_key(tmp_path: Path) -> None:
    assert trusting(None, "k").verify_mode is ssl.CERT_REQUIRED
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (tmp_path / "none", empty):
        with pytest.raises(ReceiverSetupError, match=f"publish.x.ca_file {file} cannot be used"):
            trusting(file, "publish.x.ca_file")


@pytest.mark.parametrize("raw", [None, b"", b"\n", b" \nsecret", b"\xff\xfe"])
def test_one_that_cannot_be_read_is_an_error_with_its_key(
    tmp_path: Path, raw: bytes | None
) -> None:
    file = tmp_path / "secret"
    if raw is not None:
        file.write_bytes(raw)
    with pytest.raises(ReceiverSetupError, match=f"publish.x.token_file {file}"):
        read_secret(file, "publish.x.token_file")


@pytest.mark.parametrize("token", ["abc€", "abc\x00", "zwölf", "a\u200bb"])
def test_a_token_that_no_header_can_have_is_an_error_with_its_key(
    tmp_path: Path, token: str
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{token}\n", "utf-8")
    with pytest.raises(ReceiverSetupError, match=f"publish.x.token_file {file} has a character"):
        read_token(file, "publish.x.token_file")
    file.write_text("\ufeffAbc-1.2_~+/= \n", "utf-8")
    assert read_token(file, "publish.x.token_file") == "Abc-1.2_~+/="
