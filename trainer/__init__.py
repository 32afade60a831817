"""From photographs to a trained model, with an evaluation of how good it is.

`trainer.train(recipe, data, out)` is what `pilah-trainer train` calls; `trainer.cross_validate`
says how good a recipe is on a set of pictures, and `trainer.find_rates` which
learning rates to try. TensorFlow is imported with the first of them.

They print nothing. What they do is logged to loggers below `trainer` and `edge`;
`with edge.core.terminal.log_lines.LogLines():` shows it as the commands do, and
`logging.basicConfig(level=logging.INFO, format="%(message)s")` as plain lines.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.evaluation.crossval import cross_validate as cross_validate
    from trainer.fit.learning_rate_finder import find_rates as find_rates
    from trainer.fit.phases import StopTraining as StopTraining
    from trainer.session.training import train as train

logging.getLogger(__name__).addHandler(logging.NullHandler())

__all__ = ["StopTraining", "cross_validate", "find_rates", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}")
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from trainer.evaluation import crossval
    from trainer.fit import learning_rate_finder, phases
    from trainer.session import training

    return {
        "train": training.train,
        "cross_validate": crossval.cross_validate,
        "find_rates": learning_rate_finder.find_rates,
        "StopTraining": phases.StopTraining,
    }[name]
