"""A training as TensorBoard shows it, while it runs and afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.core.closing import Closing
from trainer.fit.phases import Epoch

_log = logging.getLogger(__name__)


class TensorBoard(Closing):
    """Writes a point of each curve for each epoch; a context manager.

    `tensorboard --logdir RUN` shows them. Steps count the epochs of all phases together. A training
    is worth more than its curves: when they cannot be written any more, that is said once, and it
    goes on without them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}
        self._step = 0
        self._failed = False

    def close(self) -> None:
        """Writes what is left; may be called twice."""
        writers, self._writers = self._writers, {}
        for writer in writers.values():
            with self._without_curves():
                writer.close()

    def add(self, epoch: Epoch) -> None:
        """Takes one more epoch."""
        self._step += 1
        if self._failed:
            return
        with self._without_curves():
            self._write_epoch(epoch)

    def _write_epoch(self, epoch: Epoch) -> None:
        self._write("train", loss=epoch.loss, accuracy=epoch.accuracy, rate=epoch.learning_rate)
        self._write("validation", loss=epoch.validation_loss, accuracy=epoch.validation_accuracy)

    def _write(self, part: str, **values: float) -> None:
        import tensorflow as tf

        if part not in self._writers:
            self._writers[part] = tf.summary.create_file_writer(str(self._folder / part))
        with self._writers[part].as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step=self._step)
        self._writers[part].flush()

    @contextmanager
    def _without_curves(self) -> Iterator[None]:
        import tensorflow as tf

        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            if not self._failed:
                reason = (str(error).splitlines() or [""])[0]
                _log.warning(
                    f"{self._folder}: the training's curves cannot be written any more ({reason}): "
                    "it goes on without them"
                )
            self._failed = True
