"""The same work as public examples do it, beside pilah, in one run.

    python -m tests.benchmarks.beside BUNDLE [--frames 200] [--frame 640x480] [--python PYTHON]

Each drawn frame with an item goes each way once, one way after the other, so that a moment in which
the machine is slow affects all of them. pilah's is the first, because it says whether there is an
item in the frame; the others take turns. Compared are medians:

    invoke       the bare inference
    pilah        the way of a station from frame to verdict: trigger, preprocessing, model, joining
    per frame    an interpreter that is built for each frame, OpenCV's resize
    PIL          one interpreter; Pillow's resize, and floats that are rounded again
    MediaPipe    the ImageClassifier of MediaPipe Tasks, made once, in a process of its own that
                 measures itself. It is left out, aloud, where PYTHON has no mediapipe

All compute the bundle's `model.tflite` with one thread, but for MediaPipe, which chooses its own
number. Only pilah looks for the item in the frame, and joins the scores of an item's frames. Exit
code 1 where pilah is not faster than MediaPipe, and 77 where that was not measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pictures

from edge.benchmark.drawn_belt import DrawnBelt, plain_belt
from edge.benchmark.frame_to_verdict import TimedClassifier
from edge.core.images.image_file import Image
from edge.core.model.bundle import Bundle, read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.interpreter import load_runtime
from edge.core.terminal.progress import Progress
from edge.core.verdict import Rules
from edge.flow import Frame
from edge.sorting.model import ActiveModel
from edge.sorting.sorter import Sorter
from edge.sorting.vote_deadlines import VoteDeadlines
from edge.vision.trigger.beside import beside
from edge.vision.trigger.motion import Settings

Way = Callable[[Frame], float | None]
"""Takes a frame and returns the seconds that it took; None: this frame does not count."""

MEDIAPIPE = """
import sys, time
import cv2, numpy as np
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision

options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=sys.argv[1]))
with vision.ImageClassifier.create_from_options(options) as classifier:
    print(mp.__version__, flush=True)
    for line in sys.stdin:
        frame = np.load(line.strip())
        start = time.perf_counter()
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        heads = classifier.classify(mp.Image(image_format=mp.ImageFormat.SRGB, data=rgb))
        heads.classifications[0].categories[0].category_name
        print(time.perf_counter() - start, flush=True)
"""


class Pilah:
    """A sorter with the bundle's model and the motion trigger."""

    def __init__(self, bundle: Bundle, parts: ExitStack) -> None:
        self._classifier = Classifier(bundle)
        manifest = bundle.manifest
        rules = Rules(bundle.labels, manifest.accept, unknown=manifest.unknown_threshold)
        self._timed = TimedClassifier(self._classifier, time.perf_counter)
        model = ActiveModel(self._timed, rules, bundle.title, bundle.digest, 0.0)
        trigger = beside(Settings(kind="motion").open(), parts)
        self._sorter = Sorter(trigger, model, closing=VoteDeadlines(), clock=lambda: 0.0)

    def look(self, frame: Frame) -> float | None:
        """From the frame to the verdict on it; None where the model was not asked."""
        self._timed.times = None
        start = time.perf_counter()
        for _ in self._sorter.look(frame):
            pass
        took = time.perf_counter() - start
        return None if self._timed.times is None else took

    def invoke(self, frame: Frame) -> float:
        """The bare inference."""
        start = time.perf_counter()
        self._classifier.interpreter.invoke()
        return time.perf_counter() - start


def per_frame(bundle: Bundle) -> Way:
    """An interpreter for each frame."""
    module, _ = load_runtime()
    size = bundle.manifest.input.width, bundle.manifest.input.height

    def look(frame: Frame) -> float:
        start = time.perf_counter()
        interpreter = module.Interpreter(model_content=bundle.model, num_threads=1)
        interpreter.allocate_tensors()
        rgb = cv2.cvtColor(cv2.resize(frame.image, size), cv2.COLOR_BGR2RGB)
        _best(interpreter, np.expand_dims(rgb, 0))
        return time.perf_counter() - start

    return look


def pillow(bundle: Bundle) -> Way:
    """Pillow and floats, with one interpreter."""
    module, _ = load_runtime()
    size = bundle.manifest.input.width, bundle.manifest.input.height
    interpreter = module.Interpreter(model_content=bundle.model, num_threads=1)
    interpreter.allocate_tensors()
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]

    def look(frame: Frame) -> float:
        start = time.perf_counter()
        picture = Pictures.fromarray(cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)).resize(size)
        levels = np.asarray(picture, np.float32) / (scale or 1.0) + zero_point
        _best(interpreter, np.expand_dims(np.clip(np.rint(levels), 0, 255).astype(np.uint8), 0))
        return time.perf_counter() - start

    return look


def _best(interpreter: Any, tensor: Image) -> int:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
    interpreter.invoke()
    found = interpreter.get_output_details()
    return int(interpreter.get_tensor(found[0]["index"])[0].argmax())


@contextmanager
def mediapipe(bundle: Bundle, python: Path) -> Iterator[Way | None]:
    """MediaPipe in a process of its own; None, aloud, where PYTHON has none."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.tflite").write_bytes(bundle.model)
        with subprocess.Popen(
            [str(python), "-c", MEDIAPIPE, str(folder / "model.tflite")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            asked, answered = process.stdin, process.stdout
            version = answered.readline().strip()
            if not version:
                _log(f"MediaPipe  left out: {python} cannot run it (pip install mediapipe==1.2.2)")
                yield None
                return
            _log(f"MediaPipe  {version}, of {python}")

            def look(frame: Frame) -> float:
                file = folder / "frame.npy"
                np.save(file, frame.image)
                print(file, file=asked, flush=True)
                answer = answered.readline()
                if not answer:
                    raise SystemExit(f"MediaPipe ended in the middle: run {python} by hand")
                return float(answer)

            yield look


def _log(text: str) -> None:
    print(text, file=sys.stderr)


def measure(bundle: Bundle, size: tuple[int, int], frames: int, python: Path) -> dict[str, float]:
    """The median milliseconds of each way."""
    parts = ExitStack()
    pilah, drawn = Pilah(bundle, parts), DrawnBelt(plain_belt(*size))
    ways: dict[str, Way] = {
        "invoke": pilah.invoke,
        "per frame": per_frame(bundle),
        "PIL": pillow(bundle),
    }
    times: dict[str, list[float]] = {"invoke": [], "pilah": []}
    with parts, mediapipe(bundle, python) as other, Progress("frames", total=frames) as progress:
        if other is not None:
            ways["MediaPipe"] = other
        for frame in drawn.empty():
            pilah.look(frame)
        while len(times["pilah"]) < frames:
            for frame in drawn.passing():
                took = pilah.look(frame)
                if took is None:
                    continue
                times["pilah"].append(took)
                order = list(ways)
                turn = len(times["pilah"]) % len(order)
                for name in order[turn:] + order[:turn]:
                    found = ways[name](frame)
                    assert found is not None
                    times.setdefault(name, []).append(found)
                progress.advance()
    return {name: 1000 * statistics.median(taken) for name, taken in times.items()}


def table(found: dict[str, float]) -> str:
    """The measurement for people."""
    lines = [f"{'':<12}{'median':>10}{'of invoke':>12}{'of pilah':>12}"]
    lines += [
        f"{name:<12}{median:>7.3f} ms{median / found['invoke']:>12.3f}"
        f"{median / found['pilah']:>12.3f}"
        for name, median in found.items()
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--frames", type=int, default=200, metavar="N", help="frames (200)")
    parser.add_argument("--frame", default="640x480", metavar="WIDTHxHEIGHT")
    parser.add_argument(
        "--python", type=Path, default=Path(sys.executable), help="one that has mediapipe"
    )
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    width, height = map(int, arguments.frame.split("x"))
    found = measure(
        read_bundle(arguments.bundle), (width, height), arguments.frames, arguments.python
    )
    print(json.dumps(found) if arguments.json else table(found))
    if "MediaPipe" not in found:
        return 77  # by custom, what was left out
    return 0 if found["pilah"] < found["MediaPipe"] else 1


if __name__ == "__main__":
    sys.exit(main())
