from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.publish.mqtt import MqttSettings
from edge.core.errors import ConfigError
from tests.edge.config.publish.test_section import read


def mqtt(folder: Path, words: str) -> MqttSettings:
    publish = read(folder, f"publish: {{mqtt: {{{words}}}}}").publish
    assert publish is not None
    assert publish.mqtt is not None
    return publish.mqtt


PORTS = {
    "host: broker": 8883,
    "host: broker, tls: false": 1883,
    "host: broker, port: 8884": 8884,
}


@pytest.mark.parametrize("words", PORTS)
def test_the_port_is_that_of_mqtt_unless_told(tmp_path: Path, words: str) -> None:
    assert mqtt(tmp_path, words).port_used == PORTS[words]


def test_paths_are_relative_to_the_station_file(tmp_path: Path) -> None:
    assert mqtt(tmp_path, "host: broker, ca_file: ca.pem").ca_file == tmp_path / "ca.pem"


def test_slashes_around_a_prefix_mean_nothing(tmp_path: Path) -> None:
    assert mqtt(tmp_path, "host: broker, prefix: /site/pilah/").prefix == "site/pilah"


MISTAKES = {
    "host: ''": "at least 1 character",
    "port: 1883": "host",
    "host: broker, port: 70000": "less than or equal to 65535",
    "host: broker, prefix: a/+": "must be a topic without + and #",
    "host: broker, home_assistant: '#'": "must be a topic without + and #",
    "host: broker, certificate_file: c.pem": "certificate_file and key_file go together",
    "host: broker, password_file: p.txt": "password_file needs the username",
    "host: broker, tls: false, ca_file: ca.pem": "are for `tls: true`",
    "host: broker, password: secret": "password_file",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_named(tmp_path: Path, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        mqtt(tmp_path, words)
    assert MISTAKES[words] in str(caught.value)
    assert "secret" not in str(caught.value)
