"""A trained model: the network after its phases, with its data and its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.fit.phases import Best
from trainer.fit.predict import TrainingSet, predict
from trainer.fit.prepare import Prepared


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """A network with its best weights, its training pictures and the history of the training."""

    prepared: Prepared
    """The pictures, and the network, which is now trained."""
    data: TrainingSet
    """The data that the phases trained and validated on."""
    best: Best
    """The best epoch of the phases, and their history."""
    calibration: npt.NDArray[np.int64]
    """Indices of the validation pictures that the temperature is fitted to."""
    untrained: Sequence[npt.NDArray[np.float32]]
    """The network's state before the first phase; see `Network.state`."""
    frozen: npt.NDArray[np.float32] | None
    """float32 (pictures, depth), the outputs of `pooled` for all pictures by the network before the
    first phase; None if it had no pretrained weights."""

    @property
    def cut_layer(self) -> str:
        """The lowest layer that a phase trained from; see `trainer/fit/predict.py`."""
        ran = {line.phase for line in self.best.history}
        cuts = [phase.train_from for phase in self.prepared.recipe.phases if phase.name in ran]
        return min(cuts, key=self.prepared.network.depth)

    def predict(
        self, indices: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The logits (pictures, classes) and pooled outputs (pictures, depth) of pictures."""
        return predict(self.prepared.network, self.cut_layer, self.data, indices)
