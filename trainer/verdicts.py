"""From a trained network to verdicts one can promise: temperature, thresholds, unknown things."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.cli import say
from trainer.calibrate import Threshold, choose_thresholds, fit_temperature, softmax
from trainer.checkpoint import Checkpoint
from trainer.crossfit import CrossFitted, Fold, cross_fit, cross_fit_phases
from trainer.networks import LOGITS
from trainer.phases import Watch
from trainer.predict import TrainingSet, predict
from trainer.prepare import Prepared
from trainer.unknown import FoldAnswers, UnknownScore, choose_unknown

_MOST_PROTOTYPED = 3000
"""Pictures trained on, at most, among which the unknown score looks for prototypes."""
_FOR_THE_REPORT = 30.0
"""Seconds of the deadline that are left when the folds end."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What turns a network's logits into verdicts, and what it was chosen by."""

    temperature: float
    """What the logits are to be divided by."""
    thresholds: dict[str, Threshold]
    unknown: UnknownScore | None
    scored: CrossFitted
    scored_temperature: float
    """The one that the cross-fitted models share."""


def choose_verdicts(
    prepared: Prepared,
    whole: TrainingSet,
    judging: npt.NDArray[np.int64],
    *,
    cut: str,
    frozen: npt.NDArray[np.float32] | None,
    untrained: Sequence[npt.NDArray[np.float32]],
    seed: int,
    deadline: float,
    check_stop: Callable[[], None],
    checkpoint: Checkpoint,
) -> Verdicts:
    """What is to be promised, from scores that no model gave to pictures it had trained on.

    A cross-fitted model trained on fewer pictures and more shortly than the final one. Both are
    brought to calibrated probabilities, each by a temperature of its own, and a threshold is one of
    those. The network is left as it was.

    Args:
        prepared: its network is the trained one.
        whole: what the phases trained on.
        judging: indices of the validation pictures that the temperature is fitted to.
        cut: the lowest layer that the phases trained from.
        frozen: (pictures, depth) outputs of `pooled`, of all pictures, by the network as it came;
            None where it came without weights.
        untrained: the network's state then.
    """
    network, truth, accept = prepared.network, prepared.truth, prepared.recipe.accept
    logits, pooled = predict(network, cut, whole, judging)
    temperature = fit_temperature(logits, truth[judging])
    some = _some(whole.train)
    final_pooled = predict(network, cut, whole, some)[1]
    if accept.folds == 1:
        fold = Fold(judging, logits, pooled, some, final_pooled)
        scored = CrossFitted((fold,))
    else:
        say(f"thresholds: {accept.folds} models, each scored on what it has not seen")
        trained_state = network.state()
        # A small test part and the report take their time too.
        end = max(time.monotonic(), deadline - _FOR_THE_REPORT)
        scored = cross_fit(
            network,
            prepared.recipe,
            cross_fit_phases(prepared.recipe),
            whole,
            prepared.pictures,
            prepared.of("train", "validation"),
            folds=accept.folds,
            untrained=untrained,
            seed=seed,
            watch=Watch(end, check_stop),
            checkpoint=checkpoint,
            trained_sample=_some,
        )
        network.restore(trained_state)
    mine = truth[scored.indices]
    shared = fit_temperature(scored.logits, mine) if len(mine) else 1.0
    scores = softmax(scored.logits / shared) if len(mine) else np.zeros((0, len(prepared.labels)))
    known = prepared.of("train", "validation")
    unknown = choose_unknown(
        prepared.recipe.unknown,
        [prepared.pictures[i] for i in known],
        frozen=None if frozen is None else frozen[known],
        folds=[
            FoldAnswers(
                trained=fold.trained_pooled,
                trained_truth=truth[fold.trained],
                held=fold.pooled,
                held_logits=fold.logits / shared,
                held_groups=[str(prepared.pictures[i].group) for i in fold.held],
            )
            for fold in scored.folds
        ],
        trained=final_pooled,
        trained_truth=truth[some],
        seed=seed,
    )
    groups = [str(prepared.pictures[i].group) for i in scored.indices]
    thresholds = choose_thresholds(scores, mine, prepared.labels, accept, groups)
    return Verdicts(temperature, thresholds, unknown, scored, shared)


def fold_in(prepared: Prepared, temperature: float) -> None:
    """Divides the network's logits by `temperature`, in its last Dense layer."""
    dense = prepared.network.model.get_layer(LOGITS)
    dense.set_weights([weights / temperature for weights in dense.get_weights()])


def _some(indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    every = max(1, -(-len(indices) // _MOST_PROTOTYPED))
    return indices[::every]
