"""Measure how long a frame takes on this machine to become a verdict.

The flags are named as those of TensorFlow's benchmark_model, with - or _.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

from edge.core.command_line import count, print_json
from edge.core.errors import EXIT_OK

_log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="bundle folder or zip file")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--image",
        type=Path,
        metavar="FILE",
        help="picture to measure with (default: a 640x480 frame of noise)",
    )
    _add(parser, "num-threads", count, 1, "threads to compute with")
    _add(parser, "num-runs", count, 50, "runs to measure")
    _add(parser, "warmup-runs", count, 10, "runs before those that are measured")
    _add(parser, "min-secs", _seconds, 1.0, "shortest time to measure, in seconds")
    _add(parser, "max-secs", _seconds, 150.0, "longest time to measure, in seconds")
    _add(parser, "use-xnnpack", _truth, True, "compute with XNNPACK if possible: true or false")


def run(arguments: argparse.Namespace) -> int:
    from edge.core.images.image_file import read_image
    from edge.core.model.bundle import read_bundle
    from edge.core.model.classifier import Classifier
    from edge.telemetry.bench import FRAME_HEIGHT, FRAME_WIDTH, STAGES, measure, synthetic_frame

    classifier = Classifier(
        read_bundle(arguments.bundle),
        threads=arguments.num_threads,
        kernels="default" if arguments.use_xnnpack else "plain",
    )
    if arguments.image is None:
        image = synthetic_frame()
        _log.info(f"measuring with a synthetic {FRAME_WIDTH}x{FRAME_HEIGHT} frame of noise")
    else:
        image = read_image(arguments.image)
    found = measure(
        classifier,
        image,
        runs=arguments.num_runs,
        warmup_runs=arguments.warmup_runs,
        min_seconds=arguments.min_secs,
        max_seconds=arguments.max_secs,
    )
    if arguments.json:
        print_json(found.to_json())
        return EXIT_OK
    print(f"bundle     {found.bundle}")
    print(f"runtime    {classifier.interpreter.title}, threads {found.threads}")
    print(f"runs       {found.runs}, on {image.shape[1]}x{image.shape[0]} pixels")
    print(f"{'':<10} {'p50':>9} {'p95':>9} {'p99':>9}")
    for stage in STAGES:
        times = found.stages[stage]
        print(f"{stage:<10} {times.p50:>6.3f} ms {times.p95:>6.3f} ms {times.p99:>6.3f} ms")
    print(f"total over invoke {found.total_over_invoke:.3f}")
    print(f"resident memory   {found.rss_mb:.0f} MB")
    return EXIT_OK


def _add(
    parser: argparse.ArgumentParser,
    name: str,
    kind: Callable[[str], float],
    default: float,
    text: str,
) -> None:
    shown = str(default).lower() if isinstance(default, bool) else f"{default:g}"
    parser.add_argument(
        f"--{name}",
        f"--{name.replace('-', '_')}",
        type=kind,
        default=default,
        metavar=kind.__name__.strip("_").upper(),
        help=f"{text} ({shown})",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds >= 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more. Received: {text}")
    return seconds


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"must be true or false. Received: {text}")
    return text.lower() in ("true", "1")
