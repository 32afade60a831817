"""Logits as probabilities, and their log loss."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def softmax(logits: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Class probabilities (pictures, classes) of `logits`."""
    from scipy import special

    return np.asarray(special.softmax(logits.astype(np.float64), axis=1))


def log_loss(
    logits: npt.NDArray[np.floating], truth: npt.NDArray[np.int64], doubt: float = 0.0
) -> float:
    """The mean log loss against targets of 1 - `doubt`, the rest spread over the other classes."""
    return float(log_losses(logits, truth, doubt).mean())


def log_losses(
    logits: npt.NDArray[np.floating], truth: npt.NDArray[np.int64], doubt: float = 0.0
) -> npt.NDArray[np.float64]:
    """(pictures,), the log loss of each picture, against such targets."""
    from scipy.special import log_softmax

    logs = log_softmax(logits.astype(np.float64), axis=1)
    right = logs[np.arange(len(truth)), truth]
    others = (logs.sum(axis=1) - right) / (logs.shape[1] - 1)
    return np.asarray(-((1 - doubt) * right + doubt * others))
