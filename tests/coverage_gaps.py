"""The lines of `edge` that none of its tests runs, and why; `make coverage` checks this list.

    python -m tests.coverage_gaps

It reads the measurement that `coverage` left, and exits with 1 where a function has lines that no
test runs and is not named here, or is named here and has none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]

BY_CHANCE = (
    "Two processes, or a thread and a reader, have to meet within microseconds: `make "
    "kill-installs`, `make kill-ledger` and `make cut-power` try it."
)
"""The functions of this reason may also be run, by chance or by a slow machine."""

GAPS: Mapping[str, str] = {
    "The process ends there, and what was measured ends with it.": """
        edge.commands.run: _force
        edge.core.processes.children: end_with_parent
        edge.runtime.keyboard: Keyboard._put_back_and_die
    """,
    "Only another system, or another build of a library, comes to it.": """
        edge.core.command_line: _open_missing_streams
        edge.core.model.interpreter: _xnnpack_runs
        edge.core.model.trial: _limit
        edge.core.processes.children: tied
        edge.core.terminal.chatter: chatter_held_back
        edge.core.terminal.printable: printable_output
        edge.core.terminal.speech: without_waiting _writer _never_full
        edge.core.terminal.speech: _limit_sending
        edge.core.yaml_kinds: _settings_of
        edge.runtime.clock_state: clock_is_synchronised
        edge.vision.camera.opencv: Capture.grab Capture.set
    """,
    BY_CHANCE: """
        edge.core.atomic: _remove_left _folder.make _made
        edge.core.terminal.speech: _writer.write
        edge.ledger.lock: LedgerLock._open
        edge.rollout.installed: InstalledVersions.is_whole InstalledVersions.add
        edge.rollout.installed: InstalledVersions.prune
    """,
    "It is what a damaged or hostile picture or model holds: `make fuzz`, `make damaged` "
    "and `make mutated` try it, and tests/converter/foreign has models of other makers.": """
        edge.core.images.contact_sheet: _jpeg
        edge.core.images.container: picture_format pixel_size jpeg_segments bmp_bytes bmp_masks
        edge.core.images.container: png_pixel_bits
        edge.core.images.damage: _restarts_count _of_png _png_bytes _decodes _of_bmp
        edge.core.images.image_file: _check_size _imdecode
        edge.core.images.orientation: _blocks _inflated _of_exif
        edge.core.model.bundle_files: BundleFiles.read _open_regular _ShortReads.seek
        edge.core.model.flatbuffer: Table.text Table.tables Table._vector Table._target _scalar
        edge.core.model.interpreter: Interpreter.invoke
        edge.core.model.model_file: _check _tensor _check_quantization _check_graph _check_reads
        edge.core.model.model_file: _check_options _check_shapes
        edge.core.model.model_operators: _Shape.passes _convolution _depthwise _fully_connected
        edge.core.model.model_operators: _pool _same_count
        edge.core.model.trial: _judge _serve _use_any
    """,
    "It takes a Raspberry Pi's own hardware: tests/picamera_on_a_pi.py, and a hand on "
    "the wire.": """
        edge.pins.lgpio_pins: SteadyPin.close
        edge.pins.pins: Pins.wait open_pins
        edge.lanes.pulses.hardware: HardwarePulses.__init__
    """,
    "The tests of the trainer, of the converter or of the wheel run it.": """
        edge.commands.inspect: run _unknown
        edge.core.command_line: _look_for _Parser.parse_known_args
        edge.core.dataset.manifest: _columns
        edge.core.dataset.split_names: _split
        edge.core.dataset.reading: read_unlabelled
        edge.core.files: readable_size
        edge.core.labels: read_label_list
        edge.core.model.golden: check_golden_exactly
        edge.core.model.grade: _needed
        edge.core.model.metrics: Share.short
        edge.core.model.trial: _note_of
    """,
    "A disk, a device or the kernel has to fail at that very moment, and the error is "
    "handed on.": """
        edge.commands.telemetry.wiring: about_the_boot
        edge.control.server: ControlServer._is_mine ControlServer._run
        edge.lanes.arm: Arm.__init__
        edge.ledger.reports.reading: audited_items state_report
        edge.ledger.reports.seconds: StateSeconds.update
        edge.pins.edges: EdgeInput.__init__ PulseInput.__init__
        edge.pins.i2c: I2cDevice._send I2cDevice.read open_bus
        edge.publish.metrics.exposition: StationMetrics._of_the_states
        edge.receiving.scanner.scanner_reader: ScannerReader.run
        edge.state.inputs: ContactReader.__init__
        edge.web.app: _refusal
        edge.web.pages.delivery: _photograph
        edge.web.people.accounts: Accounts.known
        edge.commands.capture: _write_sheet
        edge.commands.lane: _follow
        edge.core.dataset.photo_folder: read_geometry
        edge.core.dataset.tree: _look_into _unread_kind _by_content
        edge.core.files: may_come_back disk_is_full
        edge.core.model.trial: _is_noted _write_note _try_apart
        edge.ledger.recovering: RecoveringLedger.append RecoveringLedger._open
        edge.ledger.recovering: RecoveringLedger._check_unchanged RecoveringLedger._set_aside
        edge.ledger.recovering: RecoveringLedger._footprint _identity _size
        edge.ledger.ledger: Ledger._migrate
        edge.ledger.losses: Losses.add_said
        edge.ledger.opening: open_recorder
        edge.ledger.recorder: Recorder._send_next Recorder._take_answer
        edge.ledger.spill: Spill.read Backlog.clear
        edge.ledger.sqlite_file: _read_only _advice
        edge.runtime.keyboard: Keyboard._read
        edge.telemetry.host: disk_finding
        edge.vision.camera.reopening: ReopeningCamera._opened_aside
        edge.vision.camera.stream: StreamSource.__init__
        edge.vision.trigger.page: Pictures.add _steps
    """,
    "It is a line or a value for a case that no test brings about yet.": """
        edge.commands.ledger.samples: run
        edge.commands.ledger.states: _about_the_oee _present
        edge.commands.simulate: _find_rate _find_rate.run _seed run
        edge.commands.telemetry.bench: _measure _print run
        edge.commands.telemetry.status: _about_the_station
        edge.commands.web: _show_accounts run
        edge.config.checks: _too_short_for_its_way
        edge.config.warnings: station_warnings
        edge.control.client: ask
        edge.control.place: _user find_control
        edge.lanes.__init__: ActuatorSettings.levels_at_rest
        edge.lanes.bins.__init__: BinSettings.levels_at_rest
        edge.lanes.bins.carousel: Carousel.lose_position Settings._knows_where_it_is
        edge.lanes.bins.flap: FlapMover.close FlapMover.release
        edge.lanes.bins.lane: BinLane.lose_position BinLane.release Settings.cycle_seconds
        edge.lanes.lanes: Lanes._come_to_rest
        edge.lanes.motion.drive: Drive._begin Drive.step Drive.target
        edge.lanes.motion.homing: Homing.begin
        edge.lanes.pulses.pca9685: BoardPulses.set
        edge.ledger.upkeep.reviewing: decided_items
        edge.receiving.scanner.scanner_reader: ScannerReader._pause
        edge.samples.photographs: Photographs._put_aside
        edge.sorting.sorter: Sorter._close _shows_nothing
        edge.benchmark.comparison: read_series
        edge.benchmark.page: _histogram
        edge.benchmark.series: Measured.to_json
        edge.telemetry.status: _because _problems
        edge.web.app: _endpoint.answer
        edge.web.guard: Guard.__call__
        edge.web.pages.delivery: _answered
        edge.web.reading: _outgoing
        edge.web.serving: serve
        edge.web.words.concerns: _concerns
        edge.web.words.counting: _words
        edge.commands.capture: _say_counts
        edge.commands.evaluate: run
        edge.core.yaml_text: syntax_problem
        edge.lanes.__init__: ActuatorSettings.cycle_seconds
        edge.pins.header: _meant
        edge.runtime.service: Ending.follow
        edge.samples.capture: CaptureSession.run CaptureSession._refuse _from_middle
        edge.vision.camera.picamera: Settings.seconds_per_frame
        edge.vision.camera.video: VideoCamera.read VideoCamera._time_of_frame
        edge.vision.trigger.background: Background.is_calm Background.adapt Background.absorb
        edge.vision.trigger.background: Background._in_this_light
        edge.vision.trigger.motion: MotionTrigger.look
    """,
}
"""Reason -> the functions, as `module: name name`, a line for each module."""


def listed(*reasons: str) -> set[str]:
    """Each function that is named above, for one of the reasons or for any, as `module:name`."""
    found: set[str] = set()
    for reason, lines in GAPS.items():
        for line in lines.split("\n") if not reasons or reason in reasons else ():
            module, _, names = line.partition(": ")
            found |= {f"{module.strip()}:{name}" for name in names.split()}
    return found - {":"}


def measured() -> set[str]:
    """Each function with lines that were not run, as `module:name`."""
    report = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", "-"]
    done = subprocess.run(report, cwd=ROOT, check=True, capture_output=True, text=True)
    files: Mapping[str, Mapping[str, Mapping[str, Mapping[str, list[int]]]]]
    files = json.loads(done.stdout)["files"]
    return {
        f"{Path(file).with_suffix('').as_posix().replace('/', '.')}:{name or '<module>'}"
        for file, found in files.items()
        for name, function in found["functions"].items()
        if function["missing_lines"]
    }


def main() -> int:
    known, found = listed(), measured()
    unlisted, gone = found - known, known - found - listed(BY_CHANCE)
    for title, names in (
        ("no test runs all of these, and no reason is given", unlisted),
        ("these are listed, and are run or gone", gone),
    ):
        if names:
            print(f"{title}:\n    " + "\n    ".join(sorted(names)), file=sys.stderr)
    if not unlisted and not gone:
        print(f"all that no test runs has its reason: {len(known)} functions")
    return int(bool(unlisted or gone))


if __name__ == "__main__":
    sys.exit(main())
