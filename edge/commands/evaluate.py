"""Measure a bundle on labelled pictures, with this machine's own runtime."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge.cli import say
from edge.errors import EXIT_OK, PictureSetError, UnreadableImageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument(
        "pictures",
        type=Path,
        metavar="PATH",
        help="a folder per class, a .csv manifest (path,label) or a .yaml class map",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--threads", type=int, default=1, help="threads to compute with (1)")


def run(arguments: argparse.Namespace) -> int:
    import numpy as np

    from edge.model.bundle import read_bundle
    from edge.model.classifier import Classifier
    from edge.model.golden import check_golden_start
    from edge.model.image_file import read_image
    from edge.model.metrics import evaluate_scores
    from edge.photo_folder import Geometry, geometries
    from edge.pictures import read_picture_set
    from edge.progress import Progress

    classifier = Classifier(read_bundle(arguments.bundle), threads=arguments.threads)
    check_golden_start(classifier)
    found = read_picture_set(arguments.pictures)
    if unknown := sorted(set(found.labels) - set(classifier.labels)):
        raise PictureSetError(
            f"{arguments.pictures}: the bundle has no label {', '.join(map(repr, unknown))}. "
            f"It knows {', '.join(classifier.labels)}: rename or leave out those classes"
        )
    wanted = Geometry.of(classifier.bundle.manifest.input)
    for geometry, folder in geometries(picture.path for picture in found.pictures).items():
        if geometry != wanted:
            say(
                f"the pictures in {folder} show {geometry}, but at a station the bundle is given "
                f"{wanted}: figures of them tell little about it"
            )
    skipped = list(found.skipped)
    scores, truth = [], []
    with Progress("evaluating", total=len(found.pictures)) as progress:
        for picture in found.pictures:
            try:
                scores.append(classifier.scores(read_image(picture.path)))
                truth.append(classifier.labels.index(picture.label))
            except UnreadableImageError as error:
                skipped.append(str(error))
            progress.advance()
    for line in skipped:
        say(f"skipped: {line}")
    if not scores:
        raise PictureSetError(f"{arguments.pictures}: none of its pictures can be read")
    evaluation = evaluate_scores(
        np.stack(scores), np.array(truth), classifier.labels, classifier.bundle.manifest.accept
    )
    if arguments.json:
        print(json.dumps(evaluation.to_json() | {"skipped": len(skipped)}, ensure_ascii=False))
        return EXIT_OK
    print(f"{classifier.bundle.title} on {arguments.pictures}")
    print(f"accuracy   {evaluation.accuracy}")
    print(f"accepted   {evaluation.accepted}")
    print(f"purity     {evaluation.purity}, of the accepted")
    if skipped:
        print(f"skipped    {len(skipped)}")
    print(f"{'':<20} {'precision':>9} {'recall':>9} {'images':>7}")
    for label, figures in evaluation.classes.items():
        print(
            f"{label:<20} {_percent(figures.precision.value):>9} "
            f"{_percent(figures.recall.value):>9} {figures.recall.total:>7}"
        )
    return EXIT_OK


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
