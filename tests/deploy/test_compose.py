"""deploy/compose.yaml and its files, as far as that shows without its images."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.scripts import DEPLOY, tool

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MADE_BY_HAND = "./secrets/"


def mounts() -> Iterator[tuple[str, str]]:
    """Each place on this machine, or volume, that a service is given, and where it finds it."""
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source, target = volume.split(":")[:2]
            yield source, target


@pytest.mark.parametrize("source", sorted({source for source, _ in mounts()}))
def test_what_is_mounted_is_there_or_is_a_named_volume(source: str) -> None:
    if source.startswith("./"):
        assert source.startswith(MADE_BY_HAND) or (DEPLOY / source).exists()
    else:
        assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_an_image_with_a_version_and_starts_again(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z-]+(/[a-z-]+)?:v?\d+[\d.]*", service["image"])
    assert "build" not in service
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_listens_on_this_machine_alone(name: str) -> None:
    service = SERVICES[name]
    if service.get("network_mode") == "host":
        told = [*service.get("command", ()), *service.get("environment", {}).values()]
        assert any("127.0.0.1" in str(word) for word in told)
    else:
        assert [port for port in service["ports"] if not port.startswith("127.0.0.1:")] == []


def test_no_password_is_in_a_file() -> None:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert "PASSWORD" not in key or str(value).startswith("/run/secrets/"), key
        assert {*service.get("secrets", ())} <= {*COMPOSE["secrets"]}
    assert all(secret["file"].startswith(MADE_BY_HAND) for secret in COMPOSE["secrets"].values())
    ignored = (DEPLOY.parent / ".gitignore").read_text("utf-8").splitlines()
    assert "/deploy/secrets/" in ignored


def test_prometheus_asks_where_a_station_answers_by_itself() -> None:
    from edge.config.publish.metrics import MetricsSettings

    found = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text("utf-8"))
    (job,) = found["scrape_configs"]
    assert job["static_configs"] == [{"targets": [str(MetricsSettings().listen)]}]
    for name in found["rule_files"]:
        assert any(target == f"/etc/prometheus/{name}" for _, target in mounts())


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    sources = yaml.safe_load((DEPLOY / "compose" / "grafana-datasources.yml").read_text("utf-8"))
    listens = [word for word in SERVICES["prometheus"]["command"] if "listen-address" in word]
    assert [f"--web.listen-address={sources['datasources'][0]['url'][7:]}"] == listens
    boards = yaml.safe_load((DEPLOY / "compose" / "grafana-dashboards.yml").read_text("utf-8"))
    path = boards["providers"][0]["options"]["path"]
    assert ("./grafana", path) in mounts()
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{path}/pilah.json"


def test_the_broker_takes_its_configuration(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "mosquitto.conf").read_text("utf-8")
    passwords = tmp_path / "passwords"
    subprocess.run(
        [tool("mosquitto_passwd", "mosquitto"), "-b", "-c", passwords, "pilah", "secret"],
        check=True,
    )
    for inside, here in (("/mosquitto/config/passwords", passwords), ("/mosquitto/data", tmp_path)):
        text = text.replace(inside, str(here))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # that it is taken ends the broker at once
        config = tmp_path / "mosquitto.conf"
        config.write_text(text.replace("listener 1883", f"listener {port} 127.0.0.1"))
        found = subprocess.run(
            [tool("mosquitto", "mosquitto"), "-c", config], capture_output=True, text=True
        )
    assert f"Config loaded from {config}" in found.stdout + found.stderr
