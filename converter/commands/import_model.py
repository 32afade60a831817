"""Make a bundle of somebody else's TFLite classifier: Teachable Machine's, MediaPipe's, yours.

How it wants its pictures, 0..1, -1..1 or raw, RGB or BGR, is read from the file, found out on
labelled pictures, shown, and never guessed: where it does not show, the command asks. Labels that
are in another order than the model's outputs are refused, with the right order.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.tflite", help="float or quantised")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="labels.txt",
        help="a label a line, or `0 name` a line (those inside the model)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="labelled pictures, better ones it was not trained on: a folder per class, a .csv "
        "manifest (path,label) or a .yaml class map",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="BUNDLE", help="folder to make the bundle in"
    )
    parser.add_argument(
        "--normalisation",
        metavar="WAY",
        help="what the model takes, if you know: raw, 0..1, -1..1, torchvision (less ImageNet's "
        "mean and through its deviation, as PyTorch has it), caffe (less ImageNet's mean, as "
        'Keras\'s VGG16 and ResNet50), or such as "0..1, BGR"',
    )
    parser.add_argument(
        "--geometry",
        choices=("squash", "center_crop", "letterbox"),
        default="squash",
        help="how a photograph becomes its input (squash; Teachable Machine crops the center)",
    )
    parser.add_argument("--name", help="of the bundle (that of its folder)")
    parser.add_argument("--version", metavar="V", help="of the bundle, such as 1.2 (the time)")
    parser.add_argument("--seed", type=int, default=0, help="decides which half is which (0)")
    parser.add_argument(
        "--replace", action="store_true", help="take the place of a bundle that is there"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from converter.foreign.import_model import import_model

    made = import_model(
        arguments.model,
        arguments.labels,
        arguments.data,
        arguments.out,
        normalisation=arguments.normalisation,
        geometry=arguments.geometry,
        name=arguments.name,
        version=arguments.version,
        seed=arguments.seed,
        replace=arguments.replace,
    )
    for line in made.skipped:
        _log.warning(f"skipped: {line}")
    manifest = made.bundle.manifest
    if arguments.name is None:
        _log.info(
            f"the bundle is called {manifest.name}, after its folder; --name gives it another name"
        )
    if arguments.json:
        result = {"bundle": str(arguments.out), "digest": made.bundle.digest} | manifest.recipe
        print_json(result | made.evaluation.to_json())
        return EXIT_OK
    print(f"{made.bundle.title}  {arguments.out}")
    print("its pictures, on half of them:")
    for tried in made.tried:
        mark = "->" if str(tried.normalisation) == manifest.recipe["normalisation"] else "  "
        print(f"{mark} {tried.normalisation!s:16} {tried.accuracy}")
    if made.gives == "logits":
        print("its outputs are no probabilities: a softmax was put behind them")
    if made.gives == "shares":
        print("its outputs do not add up to 1 (a sigmoid each): each is divided by their sum")
    print(f"accuracy   {made.evaluation.accuracy}, on the other half")
    print(f"accepted   {made.evaluation.accepted}")
    print(f"purity     {made.evaluation.purity}, of the accepted")
    for note in made.notes:
        print(f"note       {note}")
    return EXIT_OK
