"""Convert a run into a bundle: an int8 TFLite model, labels, golden pictures, figures and a card.

The int8 model is compared with the trained one. If they differ too much, no bundle is written and
the exit code is 1.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder that a training has written")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="BUNDLE", help="folder to make the bundle in"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="folder of the run's pictures (default: the one that was used in training)",
    )
    parser.add_argument(
        "--formats",
        default="int8",
        metavar="F,F",
        help="other formats to write to BUNDLE-exports besides the bundle's int8: float16, "
        "dynamic, float32, saved_model, tfjs, keras, or all",
    )
    parser.add_argument("--name", help="the bundle's name (default: the name of its folder)")
    parser.add_argument(
        "--version",
        metavar="V",
        help="the bundle's version, such as 1.2 (default: the time of the training)",
    )
    parser.add_argument(
        "--calibration-pictures",
        type=int,
        default=100,  # converter.calibration.CALIBRATION_PICTURES, which --help need not import
        metavar="N",
        help="number of pictures of the training split to calibrate int8 with (100)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        help="decides which pictures calibrate int8 and which become golden pictures (default: "
        "the run's seed)",
    )
    parser.add_argument(
        "--no-fallbacks",
        "--no-remedies",  # its name until 0.1
        action="store_true",
        help="if int8 does not pass, do not try other calibration pictures, narrower ranges, a "
        "refitted last layer and layers in float (--no-remedies is the old name of this option)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace a bundle that is already there"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from converter.convert import convert
    from converter.exports.export_folders import read_formats
    from converter.parity.gate import GateError

    try:
        made = convert(
            arguments.run,
            arguments.out,
            data=arguments.data,
            name=arguments.name,
            version=arguments.version,
            formats=read_formats(arguments.formats),
            calibration_pictures=arguments.calibration_pictures,
            seed=arguments.seed,
            fallbacks=not arguments.no_fallbacks,
            replace=arguments.replace,
        )
    except GateError as error:
        if arguments.json:
            print_json({"passed": False} | error.parity.to_json())
        raise
    for warning in made.warnings:
        _log.warning(f"warning: {warning}; chance could explain it, so the bundle was made")
    complete = made.exports is None or made.exports.complete
    manifest, parity = made.bundle.manifest, made.parity
    if arguments.name is None:
        _log.info(
            f"the bundle is called {manifest.name}, after its folder; --name gives it another name"
        )
    if arguments.json:
        result = {
            "passed": True,
            "bundle": str(arguments.out),
            "name": manifest.name,
            "version": manifest.version,
            "digest": made.bundle.digest,
            "model_bytes": len(made.bundle.model),
            "calibration_pictures": manifest.quantization.calibration_pictures,
            "warnings": made.warnings,
            "exports": made.exports and made.exports.to_json(),
        }
        print_json(result | parity.to_json())
        return EXIT_OK if complete else EXIT_NO
    print(f"{made.bundle.title}  {arguments.out}  {len(made.bundle.model) / 1e6:.1f} MB")
    print(f"verdict    {parity.verdict}")
    print(f"int8 loss  {parity.drop.verdict}")
    print(f"right      {parity.int8.accuracy}, of the test split")
    print(f"           {parity.float32.accuracy} before conversion, as float")
    print(f"           {parity.drop} from float to int8, picture by picture")
    print(f"same label {parity.agreement}, of all pictures not used for calibration")
    if parity.unknown is not None and parity.unknown.agreement.total:
        print(f"unknown    {parity.int8.unknown}, of the test split wrongly rejected as unknown")
        print(f"           {parity.unknown.agreement}, on which float and int8 agree about unknown")
    print(
        f"scores     move by {parity.confidence_change.mean:.3f} on average, by "
        f"{parity.confidence_change.largest:.3f} at most"
    )
    if made.exports is not None:
        print(f"beside it  {made.exports.folder}")
        for row in made.exports.figures:
            failures = "; ".join(row.failures)
            left_out = "" if row.format == "int8" else "left out: "
            print(f"  {row.format:12} {left_out + failures if failures else row.summary}")
        for kind, why in made.exports.refused.items():
            print(f"  {kind:12} cannot be made: {why}")
        for kind in made.exports.untried:
            print(f"  {kind:12} not compared: there is no Node.js on this machine")
    return EXIT_OK if complete else EXIT_NO
