"""What int8 loses against float, over several recipes and the folds of each, pooled.

    python -m tests.benchmarks.int8_folds WORK --recipe garbage=PHOTOS --recipe shoes=PHOTOS ...
        [--groups garbage=blocks:20] [--set KEY=VALUE] [--alpha 0.35]

Each recipe's pictures are dealt to three folds, whole groups together; a run is trained for each
fold with that fold as its test part, and converted by `converter.convert`. Every picture is so
tested on once, by a model that has not seen it, in float and in int8. Runs and bundles that are in
WORK already are used as they are: `--train-only` makes the runs, and a second call goes on.

The trainings are short, by `--short`: what is compared is two forms of one model, not the model.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from converter.convert import convert
from converter.parity import PairedDrop, score_both
from converter.tflite import convert_model
from edge.model.bundle import read_bundle
from edge.model.metrics import Share
from edge.pictures import LabelledPicture
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
    """How the test part of one run fared."""

    name: str
    agreement: Share
    drop: PairedDrop
    right: int
    """In float."""
    kept: str
    """The way to quantise that was kept."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--recipe", action="append", required=True, metavar="NAME=PATH")
    parser.add_argument("--groups", action="append", default=[], metavar="NAME=PLAN")
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--most", type=int, default=12000, help="pictures of a recipe (12000)")
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    groups = dict(pair.split("=", 1) for pair in arguments.groups)
    folds = []
    for pair in arguments.recipe:
        recipe, data = pair.split("=", 1)
        for run in runs(arguments, recipe, data, groups.get(recipe)):
            if not arguments.train_only:
                folds.append(fold_of(run))
                print(line(folds[-1].name, [folds[-1]]), folds[-1].kept, flush=True)
        if folds:
            print(line(recipe, [fold for fold in folds if fold.name.startswith(recipe)]))
    if folds:
        print(line(f"all, alpha {arguments.alpha:g}", folds))


def runs(arguments: argparse.Namespace, recipe: str, data: str, groups: str | None) -> list[Run]:
    """A run for each fold, trained where it is not there yet."""
    import trainer
    from trainer.data.split import draw, fold_pictures
    from trainer.prepare import prepare
    from trainer.recipe import read_recipe

    paths = [arguments.work / f"{recipe}-{arguments.alpha:g}-{fold}" for fold in range(FOLDS)]
    if not all((path / "run.json").is_file() for path in paths):
        settings = [*SHORT[""], *SHORT[recipe], f"network.alpha={arguments.alpha:g}"]
        plan = read_recipe(recipe, settings=settings)
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
                    recipe, manifest, path, settings=settings, groups="column:group",
                    seed=arguments.seed, replace=True,
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


def fold_of(run: Run) -> Fold:
    """Converts a run, and compares both forms of its model on its test part."""
    out = run.path.with_name(f"{run.path.name}-bundle")
    if not out.exists():
        convert(run.path, out, name=run.path.name)
    bundle = read_bundle(out)
    test = [picture for picture in run.pictures() if picture.part == "test"]
    black = np.zeros((1, *run.facts.input.shape), np.uint8)
    float32 = convert_model(run, "float32", black)
    one, other = score_both(test, run.facts.input, float32=float32, int8=bundle.model)
    truth = np.array([run.facts.labels.index(picture.label) for picture in test])
    best, best_int8 = one.scores.argmax(axis=1), other.scores.argmax(axis=1)
    return Fold(
        run.path.name,
        Share(int((best == best_int8).sum()), len(test)),
        PairedDrop.between(best == truth, best_int8 == truth),
        int((best == truth).sum()),
        kept_of(out),
    )


def kept_of(bundle: Path) -> str:
    """The way to quantise that a bundle notes."""
    figures = read_bundle(bundle).manifest.figures
    return str(figures["kept"])


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
