from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the trainer's cache during the test, and is empty at first."""
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of this machine are asked directly, whatever proxy there is."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
