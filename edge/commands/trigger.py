"""Show what a station's trigger takes for items, and try other settings if it counts wrongly.

It watches the station's camera for a while, writes a page with every item that the trigger found,
and proposes values of `contrast` and `min_gap`, which it has tried on the same frames. The station
file needs no bundle. The exit code is 1 if the number of items is not that of `--things`, if things
seem to be cut into pieces, or if there is no item.
"""

from __future__ import annotations

import argparse
import logging
import queue
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.core.command_line import count, print_json
from edge.core.errors import EXIT_NO, EXIT_OK, CameraError, UsageError
from edge.core.terminal.wording import number_of

if TYPE_CHECKING:
    from edge.config.station import VisionConfig
    from edge.runtime.worker import Endings
    from edge.vision.trigger.motion import Settings
    from edge.vision.trigger.page import Pictures
    from edge.vision.trigger.replay import Recording, ReplayResult

_log = logging.getLogger(__name__)

_SECONDS = 20.0
_MOST_FRAMES = 6000
"""A minute at 100 frames a second, which takes 400 MB of memory."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "--things", type=count, metavar="N", help="how many things pass meanwhile, by your count"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=_SECONDS,
        metavar="S",
        help=f"how long to watch, or until Ctrl-C or the last frame ({_SECONDS:g})",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("trigger.html"),
        metavar="PAGE",
        help="page to write (trigger.html)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object instead of lines for people"
    )


def run(arguments: argparse.Namespace) -> int:
    from edge.config.reading import read_vision_config
    from edge.runtime.service import stop_signals
    from edge.vision.trigger.motion import Settings
    from edge.vision.trigger.page import write_trigger_page

    if not 1 <= arguments.seconds <= 600:
        raise UsageError(f"--seconds must be 1 to 600. Received: {arguments.seconds:g}")
    if arguments.out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out must end with .html. Received: {arguments.out}")
    vision = read_vision_config(arguments.station)
    settings = vision.trigger
    if not isinstance(settings, Settings):
        raise UsageError(
            f"{arguments.station}: the trigger `{settings.kind}` does not find items by what is in "
            "the picture, so there is nothing to set. Write `trigger: {kind: motion}` for one that "
            "does"
        )
    with stop_signals() as endings:
        recording, pictures = _record(vision, arguments.seconds, endings)
    look = recording.look(settings)
    right = _is_right(look, arguments.things)
    tried = [look] if right else _tried(recording, settings, look)
    proposed = None if right else _proposed(tried, look, arguments.things)
    finding = _finding(look, recording, arguments.things)
    write_trigger_page(
        arguments.out,
        title=f"What the trigger of {vision.station} sees",
        summary=[finding, *_advice(look, proposed, arguments.things)],
        look=look,
        pictures=pictures,
        times=recording.times,
    )
    if arguments.json:
        print_json(_facts(recording, look, tried, proposed, arguments))
    else:
        print(finding)
        for line in [] if right else _table(tried, proposed):
            print(line)
        for line in _advice(look, proposed, arguments.things):
            print(line)
    _log.info(f"{arguments.out}: every item, with its box and what differs from the background")
    return EXIT_OK if right else EXIT_NO


def _record(vision: VisionConfig, seconds: float, endings: Endings) -> tuple[Recording, Pictures]:
    """Records the camera for `seconds` seconds: the frames, cut to the region.

    Raises:
        CameraError: the camera gives none, or none that can be read.
    """
    import threading
    import time

    from edge.core.terminal.progress import Progress
    from edge.flow import Frame
    from edge.vision.region import cut
    from edge.vision.trigger.page import Pictures
    from edge.vision.trigger.replay import Recording

    recording, pictures = Recording(), Pictures()
    never = threading.Event()
    _log.info(f"watching {vision.station} for {seconds:g} s; Ctrl-C ends it sooner")
    with (
        closing(vision.camera.open(clock=time.monotonic, pause=never.wait)) as camera,
        Progress("seconds", total=round(seconds)) as progress,
    ):
        shown, began, watched = 0, None, 0.0
        while len(recording) < _MOST_FRAMES and (frame := camera.read()) is not None:
            began = frame.captured if began is None else began
            watched = frame.captured - began
            if isinstance(frame, Frame):
                if frame.fault is None:
                    frame = cut(frame, vision.region)
                    recording.add(frame)
                    pictures.add(frame.image)
            elif frame.source:  # a live camera reports its damaged frames itself
                _log.warning(f"unreadable: {frame.message}")
            while shown < min(round(seconds), int(watched)):
                progress.advance()
                shown += 1
            if watched >= seconds or _told_to_stop(endings):
                break
    if not len(recording):
        raise CameraError(f"camera {vision.camera.kind}: it gave no picture that can be used")
    return recording, pictures


def _told_to_stop(endings: Endings) -> bool:
    try:
        endings.get_nowait()
    except queue.Empty:
        return False
    return True


def _tried(recording: Recording, settings: Settings, look: ReplayResult) -> list[ReplayResult]:
    from edge.core.terminal.progress import Progress
    from edge.vision.trigger.replay import variants

    others = list(variants(settings))
    looks = []
    with Progress("other values", total=len(others)) as progress:
        for other in others:
            looks.append(look if other == settings else recording.look(other))
            progress.advance()
    return looks


def _proposed(
    tried: Sequence[ReplayResult], look: ReplayResult, things: int | None
) -> ReplayResult | None:
    """The settings to change to; None if no tried settings give the right number of items."""
    from edge.vision.trigger.replay import best

    wanted = things if things is not None else len(look.items) - look.pieces
    return best(tried, wanted, contrast=look.settings.contrast) if wanted else None


def _is_right(look: ReplayResult, things: int | None) -> bool:
    return bool(look.items) and not look.together and things in (None, len(look.items))


def _finding(look: ReplayResult, recording: Recording, things: int | None) -> str:
    """What was found, in a sentence or two."""
    found = number_of(len(look.items), "items")
    if things is not None:
        found = f"{number_of(things, 'things')}, {found}"
    if look.together:
        groups = [
            " + ".join(str(look.items.index(item) + 1) for item in group) for group in look.together
        ]
        found += f": cut in pieces, it seems ({'; '.join(groups)} travel side by side)"
    elif things is not None and len(look.items) > things:
        found += ": cut in pieces, or something else moves in the region"
    elif things is not None and len(look.items) < things:
        found += ": too faint or too small, joined to one another, or too quick for the camera"
    elif things is not None:
        found += ": right"
    once = (
        f"; {number_of(look.single_frame, 'things')} seen in a single frame, which is no item"
        if look.single_frame
        else ""
    )
    return (
        f"{found}{once}. {len(recording)} frames in {recording.seconds:.1f} s "
        f"({recording.frames_per_second:.0f} a second); the background was learned in the first "
        f"{look.settings.learn_seconds:g} s, in which nothing is found"
    )


def _advice(look: ReplayResult, proposed: ReplayResult | None, things: int | None) -> list[str]:
    if proposed is not None:
        return [
            f"proposed, as it finds {number_of(len(proposed.items), 'items')} in these frames: "
            f"{_yaml(proposed.settings)}"
        ]
    if _is_right(look, things):
        if things is None:
            return ["say with --things how many passed, and the count is checked"]
        return []
    if not look.items:
        return [
            "no item: does something pass in the region (`pilah-edge roi`) once the background is "
            "learned? A lower contrast finds fainter things, a lower min_area smaller ones"
        ]
    return [
        "none of the tried values gives the right number: look at the page, and change min_area, "
        "the region, the light or the colour of the belt"
    ]


def _table(tried: Sequence[ReplayResult], proposed: ReplayResult | None) -> list[str]:
    """A table with the number of items found with each pair of values."""
    gaps = sorted({look.settings.min_gap for look in tried})
    rows = ["items with other values:", "  contrast  min_gap " + "".join(f"{g:>7g}" for g in gaps)]
    for contrast in sorted({look.settings.contrast for look in tried}):
        cells = [
            f"{len(look.items)}{'*' if look is proposed else '+' if look.together else ''}"
            for look in tried
            if look.settings.contrast == contrast
        ]
        rows.append(f"  {contrast:>8g}          " + "".join(f"{cell:>7}" for cell in cells))
    if any(look.together for look in tried):
        rows.append("  +: some of them travel side by side")
    return rows


def _yaml(settings: Settings) -> str:
    values = {**settings.model_dump(exclude_unset=True)}
    values |= {"contrast": settings.contrast, "min_gap": settings.min_gap}
    inside = ", ".join(
        f"{key}: {value:g}" if isinstance(value, float) else f"{key}: {value}"
        for key, value in values.items()
    )
    return f"trigger: {{{inside}}}"


def _facts(
    recording: Recording,
    look: ReplayResult,
    tried: Sequence[ReplayResult],
    proposed: ReplayResult | None,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    return {
        "things": arguments.things,
        **_counts(look),
        "frames": len(recording),
        "seconds": round(recording.seconds, 3),
        "tried": [_counts(other) for other in tried],
        "proposed": None if proposed is None else _counts(proposed),
        "page": str(arguments.out),
    }


def _counts(look: ReplayResult) -> dict[str, Any]:
    return {
        "contrast": look.settings.contrast,
        "min_gap": look.settings.min_gap,
        "items": len(look.items),
        "pieces": look.pieces,
        "single_frame": look.single_frame,
    }
