"""How long a plain Keras loop takes to its best accuracy, and pilah's trainer to the same one.

    python -m tests.benchmarks.time_to_accuracy --data PHOTOS [--groups blocks:20] [--epochs 20]
        [--seeds 3]

The plain loop is the usual tutorial: MobileNetV2 frozen, augmentation layers, a Dense layer with
Adam at 1e-3; every epoch decodes, augments and forwards every picture. The trainer begins with an
empty cache and runs the first two phases of mobilenet_v2, head and upper layers, without augmented
copies, until it reaches the plain loop's best. Both train and validate on the same pictures, one
after the other in one run, and both times include all that is done per picture: decoding, the pass
through the frozen layers, the epochs. One ratio is chance, to a good part: the target is the
highest of the plain loop's noisy accuracies, reached once. So there are several seeds, each with a
split of its own and an empty cache, and the ratio's mean and range are told. Needs the ImageNet
weights.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--groups")
    parser.add_argument("--epochs", type=int, default=20, help="of the plain loop (20)")
    parser.add_argument("--seed", type=int, default=0, help="the first one (0)")
    parser.add_argument("--seeds", type=int, default=3, help="how many (3)")
    arguments = parser.parse_args()

    from trainer.tensorflow import import_tensorflow

    import_tensorflow()
    found = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        with tempfile.TemporaryDirectory() as cache:
            os.environ["PILAH_CACHE"] = cache
            found.append({"seed": seed, **compare(arguments, seed)})
        print(json.dumps(found[-1], indent=2), flush=True)
    print(json.dumps(spread([each["ratio"] for each in found]), indent=2))


def spread(ratios: Sequence[float | None]) -> dict[str, Any]:
    """The mean and the range of the ratios, and of how many seeds the best was reached."""
    reached = [ratio for ratio in ratios if ratio is not None]
    return {
        "reached": f"{len(reached)} of {len(ratios)} seeds",
        "ratio_mean": float(np.mean(reached)) if reached else None,
        "ratio_range": [min(reached), max(reached)] if reached else None,
    }


def compare(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """The figures of both, of one seed."""
    from trainer.fit.phases import Budget, Epoch, StopTraining, run_phases
    from trainer.fit.prepare import prepare, training_set
    from trainer.recipes.reading import read_recipe

    recipe = read_recipe("mobilenet_v2", settings=["augment.copies=0"])
    recipe = recipe.model_copy(update={"phases": recipe.phases[:2]})
    # Divided and decoded before any clock runs: the plain loop is to have the same pictures.
    start = time.monotonic()
    prepared = prepare(recipe, arguments.data, groups=arguments.groups, seed=seed)
    preparing = time.monotonic() - start
    train, validation = prepared.of("train"), prepared.of("validation")

    plain = plain_loop(prepared, train, validation, arguments.epochs, seed)
    best = max(accuracy for _, accuracy in plain)
    plain_seconds = next(seconds for seconds, accuracy in plain if accuracy == best)

    start = time.monotonic()
    reached: list[float] = []

    def listen(epoch: Epoch) -> None:
        if epoch.validation_accuracy >= best and not reached:
            reached.append(time.monotonic() - start + preparing)

    def enough() -> None:
        if reached:
            raise StopTraining

    wanted = prepared.split == "train"
    data = training_set(
        prepared, recipe.phases, with_copies=wanted, train=train, validation=validation
    )
    budget = Budget(start + 3600, enough, listen)
    found = run_phases(prepared.network, recipe, recipe.phases, data, seed=seed, budget=budget)
    ours = reached[0] if reached else None
    return {
        "pictures": {"train": len(train), "validation": len(validation)},
        "plain": {"epochs": len(plain), "best_accuracy": best, "seconds_to_it": plain_seconds},
        "pilah": {
            "accuracy_at_the_end": found.history[-1].validation_accuracy,
            "seconds_to_the_plain_best": ours,
        },
        "ratio": None if ours is None else ours / plain_seconds,
    }


def plain_loop(
    prepared: Any, train: Any, validation: Any, epochs: int, seed: int
) -> list[tuple[float, float]]:
    """(seconds since the start, validation accuracy) after each epoch."""
    import keras
    import tensorflow as tf

    classes = len(prepared.labels)
    paths = np.array([str(picture.path) for picture in prepared.pictures])

    def read(path: Any, label: Any) -> Any:
        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        return tf.image.resize(image, (224, 224)), label

    def stream(indices: Any, *, shuffle: bool) -> Any:
        pairs = tf.data.Dataset.from_tensor_slices((paths[indices], prepared.truth[indices]))
        if shuffle:
            pairs = pairs.shuffle(len(indices), seed=seed)
        return pairs.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(2)

    keras.utils.set_random_seed(seed)
    base = keras.applications.MobileNetV2(
        input_shape=(224, 224, 3), include_top=False, weights="imagenet", pooling="avg"
    )
    base.trainable = False
    model = keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal"),
            keras.layers.RandomRotation(0.05),
            keras.layers.RandomZoom(0.1),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            base,
            keras.layers.Dropout(0.2),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    start, line = time.monotonic(), []
    for _ in range(epochs):
        model.fit(stream(train, shuffle=True), verbose=0)
        _, accuracy = model.evaluate(stream(validation, shuffle=False), verbose=0)
        line.append((time.monotonic() - start, float(accuracy)))
    return line


if __name__ == "__main__":
    main()
