"""`pilah-edge`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from edge.core.command_line import Verb, run_program
from edge.runtime.worker import a_worker_is_left

VERBS: Mapping[str, Verb] = {
    "classify": Verb("classify pictures", "edge.commands.classify"),
    "codes": Verb("read the barcodes on pictures", "edge.commands.receiving.codes"),
    "evaluate": Verb("measure a bundle on labelled pictures", "edge.commands.evaluate"),
    "inspect": Verb("show what is in a bundle", "edge.commands.inspect"),
    "bench": Verb("measure how fast this machine runs a bundle", "edge.commands.telemetry.bench"),
    "init": Verb("write a first station file", "edge.commands.init"),
    "roi": Verb("draw a station's region on a picture of its camera", "edge.commands.roi"),
    "trigger": Verb("show what a station takes for items", "edge.commands.trigger"),
    "capture": Verb("take labelled photographs to train with", "edge.commands.capture"),
    "check": Verb("find the mistakes in a station file", "edge.commands.check"),
    "schema": Verb("print the JSON Schema of station files", "edge.commands.schema"),
    "lane": Verb("move one lane, to find its angles", "edge.commands.lane"),
    "delivery": Verb("count the goods of a delivery", "edge.commands.delivery"),
    "scanner": Verb("show what a hand scanner sends", "edge.commands.receiving.scanner"),
    "install": Verb("give a station a newer bundle", "edge.commands.install"),
    "rollback": Verb("give a station an earlier bundle again", "edge.commands.rollback"),
    "reload-bundle": Verb(
        "have a running station load its bundle anew", "edge.commands.control.reload_bundle"
    ),
    "doctor": Verb("examine a station, part by part", "edge.commands.telemetry.doctor"),
    "ledger": Verb("export, check, correct or ask a ledger", "edge.commands.ledger.verb"),
    "samples": Verb(
        "photographs of corrected items, to train with", "edge.commands.ledger.samples"
    ),
    "status": Verb("show what a running station is doing", "edge.commands.telemetry.status"),
    "pause": Verb("let a running station stand", "edge.commands.control.pause"),
    "resume": Verb("let a station sort on", "edge.commands.control.resume"),
    "reset": Verb("end the incidents that were mended", "edge.commands.control.reset"),
    "stop": Verb("stop a running station, to work on it", "edge.commands.control.stop"),
    "mode": Verb("production, maintenance or manual", "edge.commands.control.mode"),
    "clear": Verb("leave Aborted after an emergency stop", "edge.commands.control.clear"),
    "simulate": Verb("try a station before there is hardware", "edge.commands.simulate"),
    "web": Verb("serve the operator's pages", "edge.commands.web"),
    "run": Verb("sort as a station file describes", "edge.commands.run"),
}


def main(words: Sequence[str] | None = None) -> int:
    """Runs `pilah-edge` and returns its exit code."""
    return run_program(
        "pilah-edge",
        "The machine that sorts.",
        VERBS,
        extra="edge",
        words=words,
        hangs=a_worker_is_left,
    )


if __name__ == "__main__":
    sys.exit(main())
