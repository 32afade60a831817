"""Show what is in a bundle, after checking every file of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK

if TYPE_CHECKING:
    from edge.core.model.bundle import Unknown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from edge.core.model.bundle import read_bundle
    from edge.core.model.classifier import Classifier
    from edge.core.model.golden import check_golden_exactly
    from edge.core.model.grade import Grade
    from edge.core.model.metrics import share_in_words

    bundle = read_bundle(arguments.bundle)
    interpreter = Classifier(bundle).interpreter
    check_golden_exactly(bundle)
    if arguments.json:
        whole = bundle.manifest.model_dump(mode="json") | {
            "labels": bundle.labels,
            "digest": bundle.digest,
            "model_bytes": len(bundle.model),
            "runtime": interpreter.runtime,
            "xnnpack": interpreter.xnnpack,
        }
        print_json(whole)
        return EXIT_OK
    manifest, spec = bundle.manifest, bundle.manifest.input
    print(f"{bundle.title}  (digest {bundle.digest[:12]})")
    print(f"model      {len(bundle.model) / 1e6:.1f} MB, {manifest.quantization.scheme}")
    print(
        f"input      {spec.width}x{spec.height}, {'RGB' if spec.channels == 3 else 'grey'}, "
        f"{spec.geometry}, of the {'whole region' if spec.crop == 'region' else 'item'}"
    )
    print("labels     accept from")
    for label in bundle.labels:
        print(f"  {label:<20} {manifest.accept[label]:.3f}")
    print(f"no class   {_unknown(manifest.unknown)}")
    for name, title in (("verdict", "verdict"), ("int8_loss", "int8 loss")):
        if verdict := manifest.figures.get(name):
            print(f"{title:<10} {Grade(**verdict)}")
    for name, figures in manifest.figures.items():
        if isinstance(figures, dict) and figures.get("accuracy_interval"):
            accuracy, images = figures["accuracy"], figures["images"]
            right = share_in_words(
                accuracy, figures["accuracy_interval"], round(accuracy * images), images
            )
            print(f"{name:<10} right on the test split: {right}")
    print(f"recipe     {manifest.recipe.get('name')}, data {manifest.data.get('digest', '')[:12]}")
    print(f"made with  {', '.join(f'{tool} {v}' for tool, v in manifest.tools.items())}")
    print(f"here       {interpreter.title}")
    print(f"golden     {len(manifest.golden.pictures)} pictures reproduced exactly")
    return EXIT_OK


def _unknown(section: Unknown | None) -> str:
    from edge.core.model.glossary import NOVELTY_BY

    if section is None:
        return "not recognised: every item gets one of these labels"
    if section.threshold is None:
        return "nothing is rejected as unknown: there were too few pictures to choose a threshold"
    by = NOVELTY_BY[section.score]
    return f"rejected as unknown above a novelty score of {section.threshold:.3f}, by {by}"
