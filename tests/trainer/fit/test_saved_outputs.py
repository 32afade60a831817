"""Saved outputs are what the layers give, copies only where they are wanted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.dataset import LabelledPicture
from edge.core.errors import StorageError
from edge.core.images.preprocess import InputSpec
from tests.disks import no_space
from tests.trainer.tiny import tiny_network
from trainer.augment import augmented
from trainer.data.cache import DecodedPictures
from trainer.fit import saved_outputs as module
from trainer.fit.phases import StopTraining
from trainer.fit.saved_outputs import SavedOutputs, pooled_outputs, save_outputs
from trainer.networks import Network, build_network
from trainer.recipes.plan import AugmentPlan, NetworkPlan

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("own_cache"),
]
NETWORK = NetworkPlan(name="tiny", weights="none")
PLAN = AugmentPlan(copies=2)
SPEC = InputSpec(height=32, width=32)
CUTS = ["relu_1", "pooled"]


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with tiny_network():
        yield


@pytest.fixture(scope="module")
def network(small: None) -> Network:
    return build_network(NETWORK, SPEC, 2, seed=0)


@pytest.fixture(scope="module")
def tensors() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


DIGESTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(5)]
WANTED = np.array([True, True, False, True, True])
EVERYONE = np.arange(5)


def save(network: Network, tensors: np.ndarray, **options: object) -> dict[str, SavedOutputs]:
    given = {"spec": SPEC, "plan": PLAN, "with_copies": WANTED} | options
    decoded = decoded_pictures(tensors, given.pop("digests", DIGESTS))  # type: ignore[arg-type]
    return save_outputs(network, CUTS, decoded, **given)  # type: ignore[arg-type]


def decoded_pictures(tensors: np.ndarray, digests: Sequence[str]) -> DecodedPictures:
    pictures = tuple(LabelledPicture(Path(f"{digest}.png"), "can") for digest in digests)
    return DecodedPictures(pictures, tensors, tuple(digests), ())  # type: ignore[arg-type]


def test_they_are_the_layers_outputs(network: Network, tensors: np.ndarray) -> None:
    saved = save(network, tensors)
    outputs = network.lower(CUTS)(tensors.astype(np.float32), training=False)
    for cut, direct in zip(CUTS, map(np.asarray, outputs), strict=True):
        assert saved[cut].shape == (5, 3, *direct.shape[1:])
        np.testing.assert_allclose(saved[cut][EVERYONE, 0], direct, rtol=2e-3, atol=1e-3)


def test_a_copy_is_the_picture_augmented_by_its_own_chance(
    network: Network, tensors: np.ndarray
) -> None:
    saved = save(network, tensors)
    changed = augmented(tensors[3], PLAN, np.random.default_rng((int(DIGESTS[3][:32], 16), 2)))
    direct = np.asarray(network.lower(CUTS)(changed[None].astype(np.float32))[1])
    found = saved["pooled"][np.array([0, 3]), np.array([0, 2])]
    np.testing.assert_allclose(found[1], direct[0], rtol=2e-3, atol=1e-3)
    copies = saved[CUTS[0]][np.array([3, 3, 3]), np.arange(3)]
    assert not any(np.array_equal(copies[a], copies[b]) for a, b in [(0, 1), (1, 2), (0, 2)])


def test_a_copy_that_was_not_wanted_is_not_there(network: Network, tensors: np.ndarray) -> None:
    with pytest.raises(IndexError):
        save(network, tensors)["pooled"][np.array([2]), np.array([1])]


@pytest.fixture
def forwarded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures went through the network, batch by batch, from now on."""
    seen: list[int] = []
    real = module.compiled

    def counting(model: Any) -> Any:
        forward = real(model)

        def counted(images: np.ndarray) -> Any:
            seen.append(len(images))
            return forward(images)

        return counted

    monkeypatch.setattr(module, "compiled", counting)
    return seen


def test_a_second_time_nothing_is_computed(
    network: Network, tensors: np.ndarray, forwarded: list[int]
) -> None:
    first = save(network, tensors)["pooled"][EVERYONE, 0]
    assert sum(forwarded) == 5 + 2 * 4
    again = save(network, tensors)["pooled"][EVERYONE, 0]
    assert sum(forwarded) == 13
    assert np.array_equal(first, again)


def test_the_same_network_built_anew_finds_them(
    network: Network, tensors: np.ndarray, forwarded: list[int]
) -> None:
    """Keras numbers the names of layers anew, and the head is drawn anew by the seed."""
    save(network, tensors)
    twin = build_network(NETWORK, SPEC, 7, seed=0)
    save(twin, tensors)
    assert sum(forwarded) == 13


@pytest.mark.parametrize(
    ("change", "computed"),
    [
        ("one picture more", 3),
        ("a picture wanted with copies", 2),
        ("one copy more", 4),
        ("other weights", 13),
        ("other preprocessing", 13),
        ("other augmentation", 8),
    ],
)
def test_what_changes_is_computed_and_nothing_else(
    network: Network, tensors: np.ndarray, forwarded: list[int], change: str, computed: int
) -> None:
    save(network, tensors)
    options: dict[str, Any] = {}
    if change == "one picture more":
        tensors = np.concatenate([tensors, tensors[:1] // 2])
        options = {"digests": [*DIGESTS, "f" * 64], "with_copies": np.append(WANTED, True)}
    elif change == "a picture wanted with copies":
        options = {"with_copies": np.ones(5, bool)}
    elif change == "one copy more":
        options = {"plan": PLAN.model_copy(update={"copies": 3})}
    elif change == "other weights":
        network = build_network(NETWORK, SPEC, 2, seed=1)
    elif change == "other preprocessing":
        options = {"spec": SPEC.model_copy(update={"geometry": "squash"})}
    else:
        options = {"plan": PLAN.model_copy(update={"rotate": 3})}
    save(network, tensors, **options)
    assert sum(forwarded) == 13 + computed


def test_a_disk_too_small_says_how_much_it_takes(
    network: Network, tensors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", no_space)
    with pytest.raises(StorageError, match=r"needs 18\.0 kB: free some space, set PILAH_CACHE"):
        save(network, tensors)


def test_a_wish_to_stop_is_heard(network: Network, tensors: np.ndarray) -> None:
    def stop() -> None:
        raise StopTraining

    with pytest.raises(StopTraining):
        save(network, tensors, check_stop=stop)


def test_pooled_outputs_are_those_of_the_pictures_themselves(
    network: Network, tensors: np.ndarray
) -> None:
    pooled = pooled_outputs(network, decoded_pictures(tensors, DIGESTS), spec=SPEC)
    direct = np.asarray(network.lower(CUTS)(tensors.astype(np.float32))[1])
    np.testing.assert_allclose(pooled, direct, rtol=2e-3, atol=1e-3)
