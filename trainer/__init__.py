"""From photographs to a trained model, with proof of how good it is.

`trainer.train(recipe, data, out)` is what `pilah-trainer train` calls; `trainer.cross_validate`
says how good a recipe is on a set of pictures, and `trainer.find_rates` which
learning rates to try. TensorFlow is imported with the first of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.crossval import cross_validate as cross_validate
    from trainer.phases import StopTraining as StopTraining
    from trainer.rates import find_rates as find_rates
    from trainer.training import train as train

__all__ = ["StopTraining", "cross_validate", "find_rates", "train"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'trainer' has no attribute {name!r}")
    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    from trainer import crossval, phases, rates, training

    return {
        "train": training.train,
        "cross_validate": crossval.cross_validate,
        "find_rates": rates.find_rates,
        "StopTraining": phases.StopTraining,
    }[name]
