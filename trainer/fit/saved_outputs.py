"""Saved outputs of frozen layers, which are computed once for every picture and augmented copy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.images.preprocess import InputSpec
from edge.core.terminal.progress import Progress
from trainer import augment
from trainer.augment import augmented
from trainer.data.cache import DecodedPictures, preprocessing_digest
from trainer.data.cache_folder import cache_folder, cache_limit, drop_oldest
from trainer.data.row_store import RowStore
from trainer.networks import Network
from trainer.recipes.plan import AugmentPlan

_BATCH = 32
_DIGITS = 2
"""The number of digits of a copy's number in the key of a row."""


class SavedOutputs:
    """The outputs of one layer for pictures and augmented copies, read from disk as needed.

    `saved[pictures, copies]` with two index arrays of one length is float16 (length, *output);
    copy 0 is the picture itself. `saved[pictures, 0]` is copy 0 of each picture.

    Attributes:
        shape: (pictures, 1 + copies, *output).
    """

    def __init__(self, plain: RowStore, copies: RowStore, rows: npt.NDArray[np.int64]) -> None:
        """Uses rows of two stores.

        Args:
            plain: the store of the pictures' outputs.
            copies: the store of the copies' outputs.
            rows: int64 (pictures, 1 + copies), row numbers: column 0 is for `plain`, the others are
                for `copies`; -1 if a copy was not wanted.
        """
        self._plain, self._copies, self._rows = plain, copies, rows
        self.shape = (*rows.shape, *plain.shape)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: tuple[Any, Any]) -> npt.NDArray[np.float16]:
        pictures, copies = np.broadcast_arrays(*map(np.atleast_1d, index))
        rows = self._rows[pictures, copies]
        result = np.empty((len(rows), *self._plain.shape), np.float16)
        for store, mine in ((self._plain, copies == 0), (self._copies, copies > 0)):
            if mine.any():
                result[mine] = store.read(rows[mine])
        return result


def save_outputs(
    network: Network,
    cut_layers: Sequence[str],
    decoded: DecodedPictures,
    with_copies: npt.NDArray[np.bool_],
    *,
    spec: InputSpec,
    plan: AugmentPlan,
    check_stop: Callable[[], None] = lambda: None,
) -> dict[str, SavedOutputs]:
    """The outputs of the layers `cut_layers`, from the cache as far as they are there.

    Missing outputs are computed in one pass through the network for all layers. The cache is keyed
    by each picture's content, the preprocessing, the layers up to the cut layer and their weights,
    the augmentation and its code, and TensorFlow's version. The random numbers of a copy depend on
    the content of its picture, not on the seed of a training, so that trainings with other seeds
    and splits share it.

    Args:
        network: the network.
        cut_layers: the names of the layers.
        decoded: the pictures.
        with_copies: bool (pictures,), the pictures that need augmented copies.
        spec: the preprocessing, for the key of the cache.
        plan: the augmentation of the copies.
        check_stop: raises if the user wants to stop.

    Raises:
        StorageError: the disk is full.
    """
    stores = {layer: _open_stores(network, layer, spec, plan) for layer in cut_layers}
    keys = [
        [digest, *(f"{digest}{copy:0{_DIGITS}d}" for copy in range(1, 1 + plan.copies))]
        for digest in decoded.digests
    ]
    wanted = [
        _Copy(picture, number, keys[picture][number])
        for picture in range(len(keys))
        for number in range(1 + (plan.copies if with_copies[picture] else 0))
    ]
    names = [copy.key for copy in wanted]
    is_plain = np.array([copy.number == 0 for copy in wanted])
    missing = np.zeros(len(wanted), bool)
    for plain, copies in stores.values():
        missing |= np.where(is_plain, plain.find(names), copies.find(names)) < 0
    work = [wanted[i] for i in np.flatnonzero(missing)]
    if work:
        for plain, copies in stores.values():
            plain.claim(sum(copy.number == 0 for copy in work))
            copies.claim(sum(copy.number > 0 for copy in work))
        _compute(network, decoded.tensors, work, stores, plan, check_stop)
    drop_oldest(cache_folder(), cache_limit())
    return {layer: SavedOutputs(*both, _rows(keys, *both)) for layer, both in stores.items()}


def pooled_outputs(
    network: Network,
    decoded: DecodedPictures,
    *,
    spec: InputSpec,
    check_stop: Callable[[], None] = lambda: None,
) -> npt.NDArray[np.float32]:
    """The outputs of the layer `pooled` for each picture, float32 (pictures, depth), cached."""
    saved = save_outputs(
        network,
        ["pooled"],
        decoded,
        np.zeros(len(decoded.digests), bool),
        spec=spec,
        plan=AugmentPlan(copies=0),
        check_stop=check_stop,
    )["pooled"]
    return saved[np.arange(len(saved)), 0].astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A picture, or an augmented copy of it, whose outputs are wanted."""

    picture: int
    """Its index among the decoded pictures."""
    number: int
    """0 for the picture itself, from 1 on for its augmented copies."""
    key: str
    """The name of its row in a store, which begins with the digest of the picture's file."""

    def chance(self) -> np.random.Generator:
        """The random numbers with which the copy is augmented."""
        return copy_chance(self.key, self.number)


def copy_chance(digest: str, number: int) -> np.random.Generator:
    """The random numbers with which a copy of a picture is augmented, at whatever size.

    Args:
        digest: the digest of the picture's file, or a key that begins with it.
        number: the number of the copy, from 1 on.
    """
    return np.random.default_rng((int(digest[:32], 16), number))


def _compute(
    network: Network,
    tensors: Any,
    work: Sequence[_Copy],
    stores: Mapping[str, tuple[RowStore, RowStore]],
    plan: AugmentPlan,
    check_stop: Callable[[], None],
) -> None:
    forward = compiled(network.lower(list(stores)))
    with Progress("frozen layers", total=len(work)) as progress:
        for start in range(0, len(work), _BATCH):
            check_stop()
            batch = work[start : start + _BATCH]
            images = np.stack(
                [
                    tensors[copy.picture]
                    if copy.number == 0
                    else augmented(tensors[copy.picture], plan, copy.chance())
                    for copy in batch
                ]
            )
            is_copy = np.array([copy.number > 0 for copy in batch])
            for layer, values in zip(stores, forward(images), strict=True):
                for store, mine in zip(stores[layer], (~is_copy, is_copy), strict=True):
                    keys = [copy.key for copy, one in zip(batch, mine, strict=True) if one]
                    store.append(keys, values.numpy()[mine])
            progress.advance(len(batch))


def _rows(keys: Sequence[Sequence[str]], plain: RowStore, copies: RowStore) -> Any:
    columns = [plain.find([names[0] for names in keys])]
    for copy in range(1, len(keys[0]) if keys else 1):
        columns.append(copies.find([names[copy] for names in keys]))
    return np.stack(columns, axis=1)


def _open_stores(
    network: Network, cut_layer: str, spec: InputSpec, plan: AugmentPlan
) -> tuple[RowStore, RowStore]:
    import tensorflow as tf

    lower = network.lower([cut_layer])
    facts = f"{_layers_digest(lower)} {preprocessing_digest(spec)} {tf.__version__}"
    base = cache_folder() / "outputs" / f"{cut_layer}-{_short(facts)}"
    shape = lower.outputs[0].shape[1:]
    # The number of copies is left out, because it does not change the first ones.
    changes = json.dumps(plan.model_dump(exclude={"copies"}), sort_keys=True)
    look = _short(f"{changes} {code_digest(augment)}")
    return (
        RowStore(base / "plain", shape=shape, dtype=np.float16),
        RowStore(base / look, shape=shape, dtype=np.float16),
    )


def _short(facts: str) -> str:
    return hashlib.sha256(facts.encode()).hexdigest()[:20]


def _layers_digest(model: Any) -> str:
    """Hex digits that change with a layer, its weights or its inputs, but not with names.

    Keras numbers the names of layers, so the same network has different names each time.
    """
    digest = hashlib.sha256()
    numbers = {id(layer): number for number, layer in enumerate(model.layers)}
    for layer in model.layers:
        config = {key: value for key, value in layer.get_config().items() if key != "name"}
        fed_from = [
            numbers[id(parent.operation)]
            for node in layer._inbound_nodes
            for parent in node.parent_nodes
            if id(parent.operation) in numbers
        ]
        line = [type(layer).__name__, config, fed_from]
        digest.update(json.dumps(line, sort_keys=True, default=str).encode())
        for weights in layer.get_weights():
            digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


def code_digest(package: ModuleType) -> str:
    """Hex digits that change with the source of a module, or of a package."""
    file = Path(package.__file__ or "")
    sources = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


def compiled(model: Any) -> Callable[[npt.NDArray[np.uint8]], list[Any]]:
    """A traced function from uint8 pictures (batch, ...) to the model's outputs, a list."""
    import tensorflow as tf

    # predict_on_batch copies more and is slower; one traced function serves every batch size.
    signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]
    def forward(images: Any) -> Any:
        outputs = model(tf.cast(images, tf.float32), training=False)
        return outputs if isinstance(outputs, (list, tuple)) else [outputs]

    return forward  # type: ignore[no-any-return]
