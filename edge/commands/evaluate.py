"""Measure a bundle on labelled pictures, with this machine's own runtime."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK, PictureSetError, UnreadableImageError
from edge.core.terminal.wording import number_of

if TYPE_CHECKING:
    from edge.core.dataset import LabelledPicture
    from edge.core.model.classifier import Classifier
    from edge.core.model.metrics import Share
    from edge.core.verdict import Prediction, Verdict

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument(
        "pictures",
        type=Path,
        metavar="PATH",
        help="a folder per class, a .csv manifest (path,label) or a .yaml class map",
    )
    parser.add_argument(
        "--unknown",
        type=Path,
        metavar="PATH",
        help="a folder of pictures of things that belong to no class, also in subfolders: shows "
        "how many of them are rejected as unknown",
    )
    parser.add_argument(
        "--strange", dest="unknown", type=Path, metavar="PATH", help="the old name of --unknown"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="FILE",
        help="write the scores of each picture as CSV, for `pilah-edge simulate --scores`",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads to compute with (1)")


def run(arguments: argparse.Namespace) -> int:
    import numpy as np

    from edge.core.dataset import read_picture_set, read_unlabelled
    from edge.core.dataset.photo_folder import Geometry, geometries
    from edge.core.model.bundle import read_bundle
    from edge.core.model.classifier import Classifier
    from edge.core.model.golden import check_golden_start
    from edge.core.model.grade import grade
    from edge.core.model.metrics import evaluate_scores

    classifier = Classifier(read_bundle(arguments.bundle), threads=arguments.threads)
    check_golden_start(classifier)
    manifest = classifier.bundle.manifest
    found = read_picture_set(arguments.pictures, labels=classifier.labels)
    for note in found.notes:
        _log.warning(note)
    if extra := sorted(set(found.labels) - set(classifier.labels)):
        raise PictureSetError(
            f"{arguments.pictures}: the bundle has no label {', '.join(map(repr, extra))}. "
            f"It knows {', '.join(classifier.labels)}: rename or leave out those classes, or give "
            "them with --unknown"
        )
    wanted = Geometry.of(manifest.input)
    for geometry, folder in geometries(picture.path for picture in found.pictures).items():
        if geometry != wanted:
            _log.info(
                f"the pictures in {folder} show {geometry}, but a station gives the "
                f"bundle {wanted}: these figures say little about a station"
            )
    known, skipped = _predictions(classifier, found.pictures)
    skipped = [*found.skipped, *skipped]
    unknown = None
    if arguments.unknown is not None:
        things = read_unlabelled(arguments.unknown)
        predictions, more = _predictions(classifier, things.pictures)
        skipped += [*things.skipped, *more]
        if not predictions:
            raise PictureSetError(
                f"{arguments.unknown}: none of its "
                f"{number_of(len(things.pictures), 'pictures')} can be read, first: {more[0]}"
            )
        unknown = _UnknownThings.of(
            [classifier.verdict(prediction) for _, prediction in predictions]
        )
    for line in skipped:
        _log.warning(f"skipped: {line}")
    if not known:
        raise PictureSetError(f"{arguments.pictures}: none of its pictures can be read")
    if arguments.scores is not None:
        from edge.core.dataset.scores_file import ScoredPicture, write_scores

        write_scores(
            arguments.scores,
            [ScoredPicture(str(picture.path), picture.label, found) for picture, found in known],
            classifier.labels,
        )
    evaluation = evaluate_scores(
        np.stack([prediction.scores for _, prediction in known]),
        np.array([classifier.labels.index(picture.label) for picture, _ in known]),
        classifier.labels,
        manifest.accept,
        novelty=(
            None
            if manifest.unknown is None
            else np.array([prediction.novelty for _, prediction in known])
        ),
        unknown=manifest.unknown_threshold,
    )
    verdict = grade(evaluation.confusion)
    if arguments.json:
        told = {"strange": unknown.to_json()} if unknown else {}
        whole = {"verdict": verdict.to_json()} | evaluation.to_json() | told
        whole |= {"skipped": len(skipped)}
        print_json(whole)
        return EXIT_OK
    print(f"{classifier.bundle.title} on {arguments.pictures}")
    print(f"verdict    {verdict}")
    print(f"right      {evaluation.accuracy}, of all pictures")
    print(f"accepted   {evaluation.accepted}")
    print(f"purity     {evaluation.purity}, right ones among the accepted")
    if evaluation.unknown.total:
        print(f"unknown    {evaluation.unknown}, of them wrongly rejected as unknown")
    if unknown:
        print(f"--unknown  {unknown.rejected}, of these pictures rejected as unknown")
        print(f"           {unknown.accepted}, of these pictures accepted as one of the labels")
    if skipped:
        print(f"skipped    {len(skipped)}")
    print(f"{'':<20} {'precision':>11} {'recall':>11} {'images':>7}")
    for label, figures in evaluation.classes.items():
        print(
            f"{label:<20} {figures.precision.short:>11} {figures.recall.short:>11} "
            f"{figures.recall.total:>7}"
        )
    print("precision: the share of the pictures given this label that really show it")
    print("recall: the share of the pictures that show it that are given this label")
    return EXIT_OK


@dataclass(frozen=True, slots=True)
class _UnknownThings:
    """How a model judges pictures of things that belong to no class."""

    rejected: Share
    """The share that is rejected as `unknown`."""
    accepted: Share

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> _UnknownThings:
        from edge.core.model.metrics import Share
        from edge.core.verdict import RejectReason

        rejected = sum(verdict.reject is RejectReason.UNKNOWN for verdict in verdicts)
        accepted = sum(verdict.accepted for verdict in verdicts)
        return cls(Share(rejected, len(verdicts)), Share(accepted, len(verdicts)))

    def to_json(self) -> dict[str, object]:
        return {
            "images": self.rejected.total,
            "unknown": self.rejected.value,
            "unknown_interval": self.rejected.interval,
            "accepted": self.accepted.value,
            "accepted_interval": self.accepted.interval,
        }


def _predictions(
    classifier: Classifier, pictures: Sequence[LabelledPicture]
) -> tuple[list[tuple[LabelledPicture, Prediction]], list[str]]:
    """(every readable picture with its prediction, a message for each unreadable one)."""
    from edge.core.images.image_file import read_image
    from edge.core.terminal.progress import Progress

    predictions, skipped = [], []
    with Progress("evaluating", total=len(pictures)) as progress:
        for picture in pictures:
            try:
                predictions.append((picture, classifier.predict(read_image(picture.path))))
            except UnreadableImageError as error:
                skipped.append(str(error))
            progress.advance()
    return predictions, skipped
