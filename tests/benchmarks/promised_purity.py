"""How often a promised purity is kept, over random draws of the pictures that it is promised by.

    python -m tests.benchmarks.promised_purity [--splits 100] [--pictures 1500]

A logistic regression on some pictures of Fashion-MNIST scores all others: 55,000 that it has never
seen, so that the purity of what a threshold accepts is known to a tenth of a point. Each split
draws some of them, fits the temperature and chooses thresholds as a training does, and looks at
what the thresholds come to on those not drawn. A promise is one label's threshold without a note.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from threadpoolctl import threadpool_limits

from edge.core.model.metrics import Share
from trainer.calibration.accept_thresholds import choose_thresholds
from trainer.calibration.temperature import fit_temperature
from trainer.recipes.plan import AcceptPlan
from trainer.statistics.likelihood import softmax

LABELS = tuple(str(number) for number in range(10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=1500, help="drawn for each (1500)")
    parser.add_argument("--fitted", type=int, default=5000, help="that the regression saw (5000)")
    parser.add_argument("--purity", type=float, default=0.95)
    parser.add_argument("--confidence", type=float, default=0.95)
    arguments = parser.parse_args()

    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    import keras
    from sklearn.linear_model import LogisticRegression

    (pictures, truth), _ = keras.datasets.fashion_mnist.load_data()
    rows = pictures.reshape(len(pictures), -1).astype(np.float32) / 255
    truth = truth.astype(np.int64)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(rows))
    fitted, others = order[: arguments.fitted], order[arguments.fitted :]
    with threadpool_limits(1):
        model = LogisticRegression(C=0.05, max_iter=200).fit(rows[fitted], truth[fitted])
        logits = model.decision_function(rows[others])
    truth = truth[others]
    plan = AcceptPlan(purity=arguments.purity, confidence=arguments.confidence)
    promised = kept = 0
    for _ in range(arguments.splits):
        drawn = np.zeros(len(truth), bool)
        drawn[rng.choice(len(truth), arguments.pictures, replace=False)] = True
        temperature = fit_temperature(logits[drawn], truth[drawn])
        scores = softmax(logits / temperature)
        best, confidence = scores.argmax(axis=1), scores.max(axis=1)
        thresholds = choose_thresholds(scores[drawn], truth[drawn], LABELS, plan)
        for index, label in enumerate(LABELS):
            if thresholds[label].note:
                continue
            taken = ~drawn & (best == index) & (confidence >= thresholds[label].value)
            promised += 1
            kept += bool((truth[taken] == index).mean() >= plan.purity)
    share = Share(kept, promised)
    print(
        json.dumps(
            {
                "splits": arguments.splits,
                "promises": promised,
                "kept": share.value,
                "interval": share.interval,
                "confidence": plan.confidence,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
