"""Which words a page or message for people must not have: each has a plainer one."""

from __future__ import annotations

import re

_TECHNICAL = (
    "AUROC", "Brier", "ECE", "F1", "KL", "Kullback-Leibler", "Student's t", "Wilson", "Tango",
    "backbone", "bootstrap", "cluster bootstrap", "confidence interval", "cross-validated",
    "faultless", "harmonic mean", "hyperparameter", "label smoothing", "log loss", "logistic",
    "mixing", "nats", "power law", "quantisation", "quantization", "regression", "softmax",
    "standard error",
)  # fmt: skip
"""Words of statistics and machine learning that no page uses."""


def unexplained(text: str) -> list[str]:
    """The technical words in `text` that nothing explains."""
    return [word for word in _TECHNICAL if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]
