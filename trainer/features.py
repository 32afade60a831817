"""Saved outputs of frozen layers: computed once for every picture and augmented copy."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import StorageError
from edge.files import storage_errors
from edge.progress import Progress
from trainer.augment import augmented
from trainer.data.cache import cache_folder
from trainer.networks import Network
from trainer.recipe import AugmentPlan

_BATCH = 32
Features = npt.NDArray[np.float16]
"""float16 (pictures, 1 + copies, *the cut's output shape); copy 0 is the picture itself."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what one training needs on disk and nobody afterwards."""
    base = cache_folder()
    with storage_errors("create", base):
        base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="training-", dir=base) as folder:
        yield Path(folder)


def save_features(
    network: Network,
    cuts: Sequence[str],
    tensors: npt.NDArray[np.uint8],
    with_copies: npt.NDArray[np.bool_],
    *,
    plan: AugmentPlan,
    seed: int,
    folder: Path,
    check_stop: Callable[[], None],
) -> dict[str, Features]:
    """The outputs of the layers `cuts`, on disk, all from one pass through the network.

    Args:
        tensors: uint8 (pictures, height, width, channels).
        with_copies: which pictures get augmented copies; the others' copies are left zero.
        check_stop: raises where the user wants to stop.

    Raises:
        StorageError: the disk is full.
    """
    lower = network.lower(list(cuts))
    outputs = {
        cut: _new_array(folder / f"{cut}.npy", len(tensors), 1 + plan.copies, output.shape[1:])
        for cut, output in zip(cuts, lower.outputs, strict=True)
    }
    work = [
        (picture, copy)
        for picture in range(len(tensors))
        for copy in range(1 + (plan.copies if with_copies[picture] else 0))
    ]
    forward = _compiled(lower)
    with Progress("frozen layers", total=len(work)) as progress:
        for start in range(0, len(work), _BATCH):
            check_stop()
            batch = work[start : start + _BATCH]
            images = np.stack(
                [
                    tensors[picture]
                    if copy == 0
                    else augmented(
                        tensors[picture], plan, np.random.default_rng((seed, picture, copy))
                    )
                    for picture, copy in batch
                ]
            )
            for cut, values in zip(cuts, forward(images), strict=True):
                for (picture, copy), value in zip(batch, values.numpy(), strict=True):
                    outputs[cut][picture, copy] = value
            progress.advance(len(batch))
    return outputs


def _compiled(model: Any) -> Callable[[npt.NDArray[np.uint8]], list[Any]]:
    import tensorflow as tf

    # predict_on_batch copies more and is slower; one traced function serves every batch size.
    signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]
    def forward(images: Any) -> Any:
        outputs = model(tf.cast(images, tf.float32), training=False)
        return outputs if isinstance(outputs, (list, tuple)) else [outputs]

    return forward  # type: ignore[no-any-return]


def _new_array(file: Path, pictures: int, copies: int, shape: tuple[int, ...]) -> Features:
    size = pictures * copies * int(np.prod(shape)) * 2
    with storage_errors("write", file):
        # Claim the room first: a disk that fills up later would end the process by a signal.
        with file.open("wb") as raw:
            try:
                os.posix_fallocate(raw.fileno(), 0, size + 4096)
            except OSError as error:
                raise StorageError(
                    f"{file.parent}: the saved outputs of the frozen layers need "
                    f"{size / 1e9:.1f} GB: free some space, set PILAH_CACHE to a larger disk, or "
                    "use fewer copies with --set augment.copies=1"
                ) from error
        array: Features = np.lib.format.open_memmap(
            file, mode="w+", dtype=np.float16, shape=(pictures, copies, *shape)
        )
        return array
