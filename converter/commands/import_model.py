"""Make a bundle of somebody else's TFLite classifier: Teachable Machine's, MediaPipe's, yours.

The normalisation that it needs (0..1, -1..1 or raw, RGB or BGR) is read from the file, tried on
labelled pictures, and printed. If they do not show it, the command asks for --normalisation. Labels
in another order than the model's outputs are refused, and the right order is printed.
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
        help="one label per line, or lines like `0 name` (default: the labels inside the model)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="PATH",
        help="labelled pictures, if possible ones that it was not trained on: a folder per class, "
        "a .csv manifest (path,label) or a .yaml class map",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="BUNDLE", help="folder to make the bundle in"
    )
    parser.add_argument(
        "--normalisation",
        metavar="WAY",
        help="the normalisation that the model needs, if you know it: raw, 0..1, -1..1, "
        "torchvision (ImageNet's mean subtracted, divided by its deviation, as usual with "
        "PyTorch), caffe (ImageNet's mean subtracted, as for Keras's VGG16 and ResNet50), or the "
        'same with BGR: "0..1, BGR"',
    )
    parser.add_argument(
        "--geometry",
        choices=("squash", "center_crop", "letterbox"),
        default="squash",
        help="how a photograph is resized to the model's input (default: squash; Teachable "
        "Machine uses center_crop)",
    )
    parser.add_argument("--name", help="the bundle's name (default: the name of its folder)")
    parser.add_argument(
        "--version", metavar="V", help="the bundle's version, such as 1.2 (default: the time)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="decides which pictures belong to which half (0)"
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace a bundle that is already there"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


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
    print("normalisations, tried on half of the pictures:")
    for tried in made.tried:
        mark = "->" if str(tried.normalisation) == manifest.recipe["normalisation"] else "  "
        print(f"{mark} {tried.normalisation!s:16} {tried.accuracy}")
    if made.output_kind == "logits":
        print("the model's outputs were no probabilities: a softmax was added behind them")
    if made.output_kind == "sigmoids":
        print("the model's outputs did not add up to 1 (sigmoids): each is divided by their sum")
    print(f"accuracy   {made.evaluation.accuracy}, on the other half")
    print(f"accepted   {made.evaluation.accepted}")
    print(f"purity     {made.evaluation.purity}, of the accepted")
    for note in made.notes:
        print(f"note       {note}")
    return EXIT_OK
