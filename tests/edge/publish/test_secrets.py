from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.errors import ReceiverSetupError
from edge.publish.secrets import read_secret


@pytest.mark.parametrize("text", ["s3cret\n", "s3cret", " s3cret \r\nsecond line\n"])
def test_the_secret_is_the_first_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text)
    assert read_secret(file, "k") == "s3cret"


@pytest.mark.parametrize("raw", [None, b"", b"\n", b" \nsecret", b"\xff\xfe"])
def test_one_that_cannot_be_read_is_an_error_with_its_key(
    tmp_path: Path, raw: bytes | None
) -> None:
    file = tmp_path / "secret"
    if raw is not None:
        file.write_bytes(raw)
    with pytest.raises(ReceiverSetupError, match=f"publish.x.token_file {file}"):
        read_secret(file, "publish.x.token_file")
