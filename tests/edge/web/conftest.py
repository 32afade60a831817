from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.web.browsing import Pages


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(tmp_path)
