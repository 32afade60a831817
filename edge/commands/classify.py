"""Classify pictures: print a line for each, with the best label and its score."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_DATA, EXIT_OK, UnreadableImageError

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="picture files")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--threads", type=int, default=1, help="threads to compute with (1)")


def run(arguments: argparse.Namespace) -> int:
    from edge.core.images.image_file import read_image
    from edge.core.model.bundle import read_bundle
    from edge.core.model.classifier import Classifier
    from edge.core.model.golden import check_golden_start

    classifier = Classifier(read_bundle(arguments.bundle), threads=arguments.threads)
    check_golden_start(classifier)
    unreadable = 0
    for path in arguments.images:
        try:
            prediction = classifier.predict(read_image(path))
        except UnreadableImageError as error:
            unreadable += 1
            _log.warning(f"skipped: {error}")
            continue
        verdict = classifier.verdict(prediction)
        if arguments.json:
            line = {
                "path": str(path),
                "label": verdict.label,
                "confidence": verdict.confidence,
                "accepted": verdict.accepted,
                "reject": verdict.reject,
                "unknown": verdict.novelty,
                "scores": {
                    label: float(score)
                    for label, score in zip(classifier.labels, prediction.scores, strict=True)
                },
            }
            print_json(line)
        else:
            novelty = verdict.novelty
            how = "" if novelty is None else f"  novelty {novelty:.2f}"
            reason = f"  reject: {verdict.reject}" if verdict.reject else ""
            print(f"{path}: {verdict.label} {verdict.confidence:.1%}{how}{reason}")
    return EXIT_DATA if unreadable else EXIT_OK
