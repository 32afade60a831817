"""What int8 loses against float, over several recipes and the folds of each, pooled.

    python -m tests.benchmarks.int8_folds WORK --recipe garbage=PHOTOS --recipe shoes=PHOTOS ...
        [--groups garbage=blocks:20] [--alpha 0.35] [--variant NAME] [--usual]
        [--network efficientnet_lite0[=WEIGHTS]]

Each recipe's pictures are dealt to three folds, whole groups together; a run is trained for each
fold with that fold as its test split, and converted by `converter.convert`. Every picture is so
tested on once, by a model that has not seen it, in float and in int8. Runs and bundles that are in
WORK already are used as they are: `--train-only` makes the runs, and a second call goes on.

The trainings are short, see SHORT: what is compared is two forms of one model, not the model. With
`--usual`, so is the conversion that TensorFlow's guide shows, on the same calibration pictures.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converter.calibration import (
    CALIBRATION_PICTURES,
    Tensors,
    calibration_tensors,
    choose_calibration,
)
from converter.convert import convert
from converter.exports.tflite import convert_model
from converter.parity.differences import PairedDrop
from converter.parity.gate import GateError, score_both
from edge.core.dataset import LabelledPicture
from edge.core.model.bundle import read_bundle
from edge.core.model.metrics import Share
from trainer.compare.ways import Way, ways_to_train
from trainer.run import Run, read_run

FOLDS = 3
SHORT = {
    "": ["augment.copies=2", "accept.folds=1"],
    "garbage": ["phases.upper.epochs=2", "phases.deeper.epochs=4"],
    "bottles": ["phases.upper.epochs=2", "phases.deeper.epochs=4"],
    "shoes": ["phases.upper.epochs=3", "phases.deeper.epochs=4"],
    "fruit": ["phases.upper.epochs=3", "phases.deeper.epochs=4"],
    "fashion": ["augment.copies=0", "phases.whole.epochs=8"],
}
"""Changes that make a training short: of every recipe, and of one."""


@dataclass(frozen=True, slots=True)
class Fold:
    """How the test split of one run fared."""

    name: str
    agreement: Share
    drop: PairedDrop
    right: int
    """In float."""
    kept: str
    """The way to quantise."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--recipe", action="append", required=True, metavar="NAME=PATH")
    parser.add_argument("--groups", action="append", default=[], metavar="NAME=PLAN")
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--variant", default="default", help="of each recipe (default)")
    parser.add_argument(
        "--network", default="own", metavar="NAME[=FILE]", help="in place of each recipe's own"
    )
    parser.add_argument("--most", type=int, default=12000, help="pictures of a recipe (12000)")
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--usual", action="store_true", help="TensorFlow's own conversion as well")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    groups = dict(pair.split("=", 1) for pair in arguments.groups)
    folds: dict[str, list[Fold]] = {}
    for pair in arguments.recipe:
        recipe, data = pair.split("=", 1)
        for run in runs(arguments, recipe, data, groups.get(recipe)):
            if arguments.train_only:
                continue
            for way, fold in compare_forms(run, usual=arguments.usual).items():
                folds.setdefault(way, []).append(fold)
                print(way, line(fold.name, [fold]), fold.kept, flush=True)
        for way, some in folds.items():
            print(way, line(recipe, [fold for fold in some if fold.name.startswith(recipe)]))
    for way, some in folds.items():
        print(way, line(f"all, {named(arguments)}", some))


def named(arguments: argparse.Namespace) -> str:
    """The way to train: the variant, the network and the width, as far as they are others."""
    network = arguments.network.partition("=")[0]
    others = [name for name in (arguments.variant, network) if name not in ("default", "own")]
    return " ".join([*others, f"alpha {arguments.alpha:g}"])


def way_of(arguments: argparse.Namespace, recipe: str) -> Way:
    """The short training of a recipe, with the network in place of its own.

    Raises:
        ConfigError, UsageError: there is no such variant or network, or it does not fit.
    """
    from trainer.recipes.reading import read_recipe

    phases = {phase.name for phase in read_recipe(recipe, variant=arguments.variant).phases}
    short = [
        setting
        for setting in (*SHORT[""], *SHORT.get(recipe, ()))
        # A variant may have other phases.
        if not setting.startswith("phases.") or setting.split(".")[1] in phases
    ]
    (way,) = ways_to_train(
        recipe,
        variants=[arguments.variant],
        networks=[arguments.network],
        settings=[*short, f"network.alpha={arguments.alpha:g}"],
    )
    return way


def runs(arguments: argparse.Namespace, recipe: str, data: str, groups: str | None) -> list[Run]:
    """A run for each fold, trained where it is not there yet."""
    import trainer
    from trainer.data.stratified_split import draw, fold_pictures
    from trainer.fit.prepare import prepare

    way = way_of(arguments, recipe)
    name = "-".join([recipe, *named(arguments).replace("alpha ", "").split()])
    paths = [arguments.work / f"{name}-{fold}" for fold in range(FOLDS)]
    if not all((path / "run.json").is_file() for path in paths):
        plan = way.recipe(recipe)
        prepared = prepare(plan, Path(data), groups=groups, seed=arguments.seed)
        pictures = sorted(
            prepared.pictures, key=lambda p: draw(arguments.seed, f"{p.label}/{p.path.name}")
        )[: arguments.most]
        places = fold_pictures(pictures, FOLDS, seed=arguments.seed)
        for fold, path in enumerate(paths):
            if not (path / "run.json").is_file():
                manifest = path.with_suffix(f"{path.suffix}.csv")
                write_manifest(manifest, pictures, [place == fold for place in places])
                trainer.train(
                    recipe, manifest, path, variant=way.variant, settings=list(way.settings),
                    groups="column:group", seed=arguments.seed, replace=True,
                )  # fmt: skip
    return [read_run(path) for path in paths]


def write_manifest(path: Path, pictures: Sequence[LabelledPicture], test: Sequence[bool]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "group", "split"])
        for index, (picture, tested) in enumerate(zip(pictures, test, strict=True)):
            split = "test" if tested else "train"
            group = picture.group or f"alone-{index}"
            rows.writerow([picture.path.resolve(), picture.label, group, split])


def compare_forms(run: Run, *, usual: bool) -> dict[str, Fold]:
    """Converts a run, and compares each int8 model with the float one on its test split."""
    models = {"pilah": converted(run)}
    if usual:
        models["usual"] = usual_int8(run), "usual"
    test = [picture for picture in run.pictures() if picture.split == "test"]
    float32 = convert_model(run, "float32", np.zeros((1, *run.facts.input.shape), np.uint8))
    truth = np.array([run.facts.labels.index(picture.label) for picture in test])
    folds = {}
    for way, (model, kept) in models.items():
        one, other = score_both(test, run.facts.input, float32=float32, int8=model)
        best, best_int8 = one.scores.argmax(axis=1), other.scores.argmax(axis=1)
        folds[way] = Fold(
            run.path.name,
            Share(int((best == best_int8).sum()), len(test)),
            PairedDrop.between(best == truth, best_int8 == truth),
            int((best == truth).sum()),
            kept,
        )
    return folds


def converted(run: Run) -> tuple[bytes, str]:
    """The int8 model and how it was made; the plain one where the gate lets none pass, which is
    counted, too."""
    out = run.path.with_name(f"{run.path.name}-bundle")
    try:
        if not out.exists():
            convert(run.path, out, name=run.path.name)
    except GateError:
        pictures = choose_calibration(run.pictures(), CALIBRATION_PICTURES, seed=run.facts.seed)
        tensors = calibration_tensors(pictures, run.facts.input)
        return convert_model(run, "int8", tensors), "refused by the gate"
    bundle = read_bundle(out)
    return bundle.model, str(bundle.manifest.figures["kept"])


def usual_int8(run: Run) -> bytes:
    """As TensorFlow's guide to post-training integer quantisation does it; float32 scores out."""
    import keras
    import tensorflow as tf

    pictures = choose_calibration(run.pictures(), CALIBRATION_PICTURES, seed=run.facts.seed)
    tensors = calibration_tensors(pictures, run.facts.input)
    model = run.load_model()
    scores = model.outputs[0] if isinstance(model.outputs, list) else model.outputs
    with tempfile.TemporaryDirectory() as folder:
        keras.Model(model.input, scores).export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        return _guided(converter, tensors)


def _guided(converter: Any, tensors: Tensors) -> bytes:
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([t[None].astype(np.float32)] for t in tensors)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    return bytes(converter.convert())


def line(name: str, folds: Sequence[Fold]) -> str:
    """The pooled figures of some folds."""
    counts: Counter[str] = Counter()
    for fold in folds:
        counts.update(
            same=fold.agreement.count, total=fold.agreement.total, right=fold.right,
            first=fold.drop.first_only, second=fold.drop.second_only,
        )  # fmt: skip
    total = counts["total"]
    drop = PairedDrop(counts["first"], counts["second"], total)
    low, high = drop.interval
    return (
        f"{name}: {total} pictures, float {counts['right'] / total:.1%}, drop "
        f"{100 * drop.value:.2f} points ({100 * low:.2f} to {100 * high:.2f}), same label "
        f"{Share(counts['same'], total)}"
    )


if __name__ == "__main__":
    main()
