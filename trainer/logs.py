"""A training as TensorBoard shows it, while it runs and afterwards."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from trainer.phases import Epoch


class TensorBoard:
    """Writes a point of each curve for each epoch; a context manager.

    `tensorboard --logdir RUN` shows them. Steps count the epochs of all phases together.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}
        self._step = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Writes what is left; may be called twice."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def add(self, epoch: Epoch) -> None:
        """Takes one more epoch."""
        self._step += 1
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
