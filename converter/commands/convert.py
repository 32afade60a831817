"""Turn a run into a bundle: int8 TFLite, labels, golden pictures, figures, and proof that the int8
model answers as the trained one does. Exits 1, and leaves no bundle, when it does not."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_NO, EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder that a training left behind")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="BUNDLE", help="folder to make the bundle in"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="where the run's pictures lie now (where they lay in training)",
    )
    parser.add_argument(
        "--formats",
        default="int8",
        metavar="F,F",
        help="more than the bundle's int8, into BUNDLE-exports: float16, dynamic, float32, "
        "saved_model, tfjs, keras, or all",
    )
    parser.add_argument("--name", help="of the bundle (that of its folder)")
    parser.add_argument(
        "--version", metavar="V", help="of the bundle, such as 1.2 (the time of the training)"
    )
    parser.add_argument(
        "--calibration-pictures",
        type=int,
        default=100,  # converter.calibration.CALIBRATED_ON, which --help need not import
        metavar="N",
        help="pictures of the training part to choose integers by (100)",
    )
    parser.add_argument(
        "--seed", type=int, help="decides which pictures are used for what (the run's)"
    )
    parser.add_argument(
        "--no-fallbacks",
        "--no-remedies",  # its name until 0.1
        action="store_true",
        help="where int8 does not pass, do not try other pictures, clipping, a head fitted to the "
        "int8 features and layers in float (--no-remedies is its old name)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="take the place of a bundle that is there"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from converter.convert import convert
    from converter.exports.writer import read_formats
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
    print(f"right      {parity.int8.accuracy}, of the test part")
    print(f"           {parity.float32.accuracy} before conversion, as float")
    print(f"           {parity.drop} from float to int8, picture by picture")
    print(f"same label {parity.agreement}, of all pictures not used for calibration")
    if parity.unknown is not None and parity.unknown.agreement.total:
        print(f"unknown    {parity.int8.unknown}, of the test part wrongly rejected as unknown")
        print(
            f"           {parity.unknown.agreement}, held to be that or not by float and int8 alike"
        )
    print(
        f"scores     move by {parity.confidence_change.mean:.3f} on average, by "
        f"{parity.confidence_change.largest:.3f} at most"
    )
    if made.exports is not None:
        print(f"beside it  {made.exports.folder}")
        for row in made.exports.figures:
            failures = "; ".join(row.failures)
            left_out = "" if row.format == "int8" else "left out: "
            print(f"  {row.format:12} {left_out + failures if failures else row.line}")
        for kind, why in made.exports.refused.items():
            print(f"  {kind:12} cannot be made: {why}")
        for kind in made.exports.untried:
            print(f"  {kind:12} not compared: no Node.js here")
    return EXIT_OK if complete else EXIT_NO
