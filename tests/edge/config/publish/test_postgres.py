from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from edge.config.publish.postgres import PostgresSettings


def test_a_connection_is_encrypted_unless_the_file_says_otherwise() -> None:
    found = PostgresSettings.model_validate({"host": "db", "user": "pilah"})
    assert (found.port, found.database, found.tls) == (5432, "pilah", True)


def test_certificates_without_encryption_are_refused() -> None:
    with pytest.raises(ValidationError, match="ca_file is for `tls: true`"):
        PostgresSettings(host="db", user="pilah", tls=False, ca_file=Path("ca.crt"))
