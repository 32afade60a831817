"""The temperature that brings a network's logits to calibrated probabilities."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from trainer.statistics.likelihood import log_loss


def fit_temperature(logits: npt.NDArray[np.floating], truth: npt.NDArray[np.int64]) -> float:
    """The number to divide `logits` by so that confidence means what it says.

    It minimises the log loss over 0.05 to 20. Source: Guo et al., On calibration of modern neural
    networks, ICML 2017. The targets are a little less than sure, as in Platt, Probabilistic outputs
    for support vector machines, 1999: of a few pictures that are all right, nothing follows for
    certain, and without it the temperature would run to its bound.

    Args:
        logits: (pictures, classes), of pictures not trained on.
        truth: (pictures,) class indices.
    """
    candidates = np.exp(np.linspace(math.log(0.05), math.log(20), 600))
    doubt = 1 / (len(truth) + 2)
    losses = [log_loss(logits / temperature, truth, doubt) for temperature in candidates]
    return float(candidates[int(np.argmin(losses))])
