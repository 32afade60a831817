from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def novelty() -> Any:
    """The red-green-blue network with a novelty score."""
    from tests.data.make_tiny import tiny_model, tiny_novelty_score
    from trainer.calibration.novelty import with_unknown_output

    return with_unknown_output(tiny_model(), tiny_novelty_score())
