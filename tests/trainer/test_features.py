"""Saved outputs are what the layers give, copies only where they are wanted."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from edge.errors import StorageError
from edge.model.preprocess import InputSpec
from trainer.augment import augmented
from trainer.features import save_features, scratch_folder
from trainer.networks import Network, build_network
from trainer.phases import StopTraining
from trainer.recipe import AugmentPlan, NetworkPlan

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
PLAN = AugmentPlan(copies=2)
CUTS = ["block_3_expand", "pooled"]


@pytest.fixture(scope="module")
def network() -> Network:
    plan = NetworkPlan(alpha=0.35, weights="none")
    return build_network(plan, InputSpec(height=32, width=32), 2, seed=0)


@pytest.fixture(scope="module")
def tensors() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def save(
    network: Network, tensors: np.ndarray, folder: Path, **options: object
) -> dict[str, np.ndarray]:
    wanted = np.array([True, True, False, True, True])
    given = {"plan": PLAN, "seed": 3, "folder": folder, "check_stop": lambda: None} | options
    return save_features(network, CUTS, tensors, wanted, **given)  # type: ignore[arg-type]


def test_they_are_the_layers_outputs(network: Network, tensors: np.ndarray, tmp_path: Path) -> None:
    saved = save(network, tensors, tmp_path)
    outputs = network.lower(CUTS)(tensors.astype(np.float32), training=False)
    for cut, direct in zip(CUTS, map(np.asarray, outputs), strict=True):
        assert saved[cut].shape == (5, 3, *direct.shape[1:])
        np.testing.assert_allclose(saved[cut][:, 0], direct, rtol=2e-3, atol=1e-3)


def test_a_copy_is_the_picture_augmented(
    network: Network, tensors: np.ndarray, tmp_path: Path
) -> None:
    saved = save(network, tensors, tmp_path)
    changed = augmented(tensors[3], PLAN, np.random.default_rng((3, 3, 2)))
    direct = np.asarray(network.lower(CUTS)(changed[None].astype(np.float32))[1])
    np.testing.assert_allclose(saved["pooled"][3, 2], direct[0], rtol=2e-3, atol=1e-3)
    assert not saved["pooled"][2, 1:].any()


def test_a_disk_too_small_says_how_much_it_takes(
    network: Network, tensors: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match=r"need 0\.0 GB: free some space, set PILAH_CACHE"):
        save(network, tensors, tmp_path)


def test_a_wish_to_stop_is_heard(network: Network, tensors: np.ndarray, tmp_path: Path) -> None:
    def stop() -> None:
        raise StopTraining

    with pytest.raises(StopTraining):
        save(network, tensors, tmp_path, check_stop=stop)


def test_the_scratch_folder_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path))
    with scratch_folder() as folder:
        (folder / "big.npy").write_bytes(b"1")
    assert list(tmp_path.iterdir()) == []
