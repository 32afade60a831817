"""Show the inputs, outputs, operators and cost of a `.tflite` file or of a bundle's model."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.core.command_line import print_json
from edge.core.errors import EXIT_OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", type=Path, metavar="FILE|BUNDLE", help="a .tflite file, or a bundle folder or zip"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from converter.tflite.inspection import read_structure
    from edge.core.files import read_regular, storage_errors
    from edge.core.model.bundle import MODEL, read_bundle
    from edge.core.model.bundle_files import LARGEST

    path: Path = arguments.model
    if path.suffix.lower() == ".tflite":
        with storage_errors("read", path):
            model = read_regular(path, largest=LARGEST[MODEL])
    else:
        model = read_bundle(path).model
    found = read_structure(model, name=str(path))
    if arguments.json:
        print_json(found.to_json())
        return EXIT_OK
    print(f"size       {found.size / 1e6:.2f} MB")
    for port in found.inputs:
        print(f"input      {port}")
    for port in found.outputs:
        print(f"output     {port}")
    print(f"cost       {found.multiply_accumulates / 1e6:,.1f} million multiply-accumulates")
    print(f"weights    {found.per_channel} of {found.weighted} layers have scales per channel")
    print(f"labels     {', '.join(found.labels) or 'none in the file'}")
    print("operators        of which in float")
    for name, count in found.operators.items():
        print(f"  {count:>5}  {found.not_int8.get(name, 0) or '':>5}  {name}")
    return EXIT_OK
