from __future__ import annotations

import pytest
from pydantic import ValidationError

from edge.config.publish.metrics import MetricsSettings


def test_without_more_it_answers_this_machine_alone() -> None:
    assert str(MetricsSettings().listen) == "127.0.0.1:9477"


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [
        ("127.0.0.1:9477", "127.0.0.1", 9477),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::1]:9477", "::1", 9477),
        ("localhost:65535", "localhost", 65535),
    ],
)
def test_an_address_has_a_host_and_a_port(listen: str, host: str, port: int) -> None:
    found = MetricsSettings.model_validate({"listen": listen}).listen
    assert found == (host, port)
    assert str(found) == listen


@pytest.mark.parametrize(
    "listen", ["", "9477", 9477, ":9477", "host:", "host:0", "host:65536", "host:x", "h:-1", None]
)
def test_another_one_is_refused_with_what_to_write(listen: object) -> None:
    with pytest.raises(ValidationError, match=r"such as 127\.0\.0\.1:9477"):
        MetricsSettings.model_validate({"listen": listen})
