"""The starting weights of a network: from ImageNet, a file, or at random."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
import numpy.typing as npt

from edge.core.errors import UsageError
from edge.core.files import storage_errors
from trainer.errors import WeightsMissingError
from trainer.networks.parts.blocks import SCRATCH_MOMENTUM
from trainer.recipes.plan import NetworkPlan

_log = logging.getLogger(__name__)

LayerWeights = Mapping[str, Sequence[npt.NDArray[Any]]]
"""Layer name -> its weights, in the order of Keras's `get_weights`."""

_OF_STORAGE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of the disk, and not of the network, as a file is fetched."""

_Fetched = TypeVar("_Fetched")
_FETCHES: ContextVar[bool] = ContextVar("fetches", default=True)


_READS: ContextVar[bool] = ContextVar("reads", default=True)


class _NotFetchedError(Exception):
    """The ImageNet weights exist but are not to be downloaded now."""


@contextmanager
def without_fetching() -> Iterator[None]:
    """Within it a network keeps its first weights in place of ImageNet's; all else is checked."""
    before = _FETCHES.set(False)
    try:
        yield
    finally:
        _FETCHES.reset(before)


@contextmanager
def without_weights() -> Iterator[None]:
    """Within it a network keeps its first weights, because others take their place soon."""
    before = _READS.set(False)
    try:
        with without_fetching():
            yield
    finally:
        _READS.reset(before)


def load_weights(
    own: Any, plan: NetworkPlan, fetch_imagenet: Callable[[], LayerWeights] | None = None
) -> Any:
    """`own` with the weights that the recipe names.

    Args:
        own: a model whose layers bear the names of the published network's.
        fetch_imagenet: gives the published network's ImageNet weights; None: there are none.

    Raises:
        UsageError: the weights do not fit, or there are none of this kind.
        WeightsMissingError: there is no such file.
    """
    if plan.weights == "none":
        for layer in own.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = SCRATCH_MOMENTUM
    elif plan.weights != "imagenet":
        if _READS.get():
            _load_file(own, Path(plan.weights))
    elif fetch_imagenet is None:
        raise UsageError(
            f"network.weights: {plan.name} has no ImageNet weights: choose none or a file, "
            "or mobilenet_v2"
        )
    else:
        try:
            published = fetch_imagenet()
        except _NotFetchedError:
            return own
        for name, values in published.items():
            own.get_layer(name).set_weights(values)
    return own


def layer_weights(model: Any) -> LayerWeights:
    """The weights of each layer of `model` that has any."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def keras_models() -> Path:
    """The folder of pretrained weights in Keras's home: `KERAS_HOME`, else `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"


def fetch(get: Callable[[], _Fetched], what: str, file: str) -> _Fetched:
    """The result of `get`, which has Keras fetch ImageNet weights where they are not here yet.

    Args:
        what: the network as the reader knows it.
        file: the name of its weights in Keras's home.

    Raises:
        WeightsMissingError: the weights are not on this machine and cannot be fetched.
        StorageError: they cannot be written.
    """
    if not _FETCHES.get():
        raise _NotFetchedError
    where = keras_models()
    if not (where / file).exists():
        _log.info(f"fetching the ImageNet weights of {what} from the internet, to {where / file}")
    try:
        with _keras_silent():
            return get()
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _OF_STORAGE:
            with storage_errors("write", where / file):
                raise
        # Keras raises a bare Exception when a download fails, OSError when the file is damaged.
        address = re.search(r"https?://\S+?\.(h5|tar\.gz)", str(error))
        raise WeightsMissingError(
            f"the ImageNet weights of {what} are not on this machine and could not be fetched "
            f"({_cause(error)}). Connect to the internet once, or put {file} into "
            f"{where}{f' (from {address[0]})' if address else ''}, or train from scratch, by the "
            "recipe mobilenet_v2 with --variant scratch"
        ) from error


def _cause(error: Exception) -> str:
    """What Keras says that it was: behind the address, where it names one."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.rpartition(" -- ")[2][:200]


@contextmanager
def _keras_silent() -> Iterator[None]:
    """Keras prints nothing on stdout about downloads within the block."""
    told = keras.config.is_interactive_logging_enabled()
    keras.config.disable_interactive_logging()
    try:
        yield
    finally:
        if told:
            keras.config.enable_interactive_logging()


def _load_file(own: Any, path: Path) -> None:
    if not path.is_file():
        raise WeightsMissingError(
            f"network.weights: {path}: no such file. Give imagenet, none, or a Keras weights file"
        )
    before = own.get_weights()
    try:
        # Keras 3 files are read by structure, the older .h5 of keras.applications by layer name.
        own.load_weights(path, **({} if path.name.endswith(".weights.h5") else {"by_name": True}))
    except (ValueError, OSError) as error:
        raise UsageError(f"network.weights: {path} does not fit the network: {error}") from error
    if all(np.array_equal(old, new) for old, new in zip(before, own.get_weights(), strict=True)):
        raise UsageError(f"network.weights: {path} has no layer of this network")
