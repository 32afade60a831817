"""The temperature that turns a network's logits into calibrated probabilities."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from trainer.statistics.likelihood import log_loss


def fit_temperature(logits: npt.NDArray[np.floating], truth: npt.NDArray[np.int64]) -> float:
    """The number by which `logits` are divided so that scores are calibrated probabilities.

    It minimises the log loss over 0.05 to 20. Source: Guo et al., On calibration of modern neural
    networks, ICML 2017. The targets are a little less than certain, as in Platt, Probabilistic
    outputs for support vector machines, 1999: otherwise, the temperature would run to its bound if
    all of a few pictures are classified correctly.

    Args:
        logits: (pictures, classes), of pictures that the network was not trained on.
        truth: (pictures,) class indices.
    """
    candidates = np.exp(np.linspace(math.log(0.05), math.log(20), 600))
    doubt = 1 / (len(truth) + 2)
    losses = [log_loss(logits / temperature, truth, doubt) for temperature in candidates]
    return float(candidates[int(np.argmin(losses))])
