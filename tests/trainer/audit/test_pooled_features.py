"""Features are what the network gives, computed once for each picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.dataset import read_picture_set
from tests.trainer.audit.drawn import write_set
from trainer.audit import pooled_features as module
from trainer.audit.pooled_features import pooled_features
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.recipes.plan import NetworkPlan

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPEC = module.SPEC.model_copy(update={"height": 96, "width": 96})
"""As the check decodes, smaller: the network takes any size."""


@pytest.fixture
def decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DecodedPictures:
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_PLAN", NetworkPlan(weights="none"))
    monkeypatch.setattr(module, "SPEC", SPEC)
    pictures = read_picture_set(write_set(tmp_path / "set", each=2)).pictures
    return decode_pictures(pictures, SPEC)


def test_they_are_the_layers_outputs_pooled(
    decoded: DecodedPictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pooled_features(decoded)
    assert found.means.shape == (4, 1280)
    assert found.products.shape == (4, 96 * 97 // 2)
    from trainer.networks import build_network

    network = build_network(module._PLAN, SPEC, 2, seed=0)
    images = decoded.tensors[np.arange(4)].astype(np.float32)
    means, detail = (np.asarray(x) for x in network.lower(["pooled", "block_12_add"])(images))
    np.testing.assert_allclose(found.means, means, rtol=2e-2, atol=1e-3)
    first = detail[2].reshape(-1, 96)
    pairs = (first.T @ first / len(first))[np.triu_indices(96)]
    np.testing.assert_allclose(found.products[2], pairs, rtol=2e-2, atol=1e-3)

    def never(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(module, "_compute", never)
    again = pooled_features(decoded)
    np.testing.assert_array_equal(again.products, found.products)
