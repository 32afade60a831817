"""A module's tests lie where one looks for them, or the table here says where they are."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from tests.test_architecture import MODULES, ROOT

TESTED_ELSEWHERE: Mapping[str, str] = {
    "tests/converter/bundle/test_sign.py": """
        converter.commands.keygen converter.commands.sign converter.commands.verify_signature
    """,
    "tests/converter/exports/test_tflite.py": """
        converter.tflite.operators
    """,
    "tests/converter/exports/test_export_folders.py": """
        converter.exports.formats converter.exports.keras_file converter.exports.saved_model
        converter.parity.export_parity
    """,
    "tests/converter/exports/tfjs/test_graph_model.py": """
        converter.exports.tfjs.graph_passes
    """,
    "tests/converter/foreign/test_import_model.py": """
        converter.commands.import_model converter.foreign.graph_surgery
        converter.foreign.imported_card converter.foreign.normalisations
    """,
    "tests/converter/foreign/test_label_order.py": """
        converter.foreign.label_order_check
    """,
    "tests/converter/parity/test_compare.py": """
        converter.check_parity converter.commands.check_parity converter.commands.compare
    """,
    "tests/converter/parity/test_thresholds.py": """
        converter.parity.predictions
    """,
    "tests/converter/quantization/test_rounding.py": """
        converter.quantization.activation_statistics converter.quantization.quantise
        converter.tflite.layers
    """,
    "tests/converter/tensorflow/test_fork_server.py": """
        converter.tensorflow.process
    """,
    "tests/converter/test_convert.py": """
        converter.bundle.card converter.bundle.writer converter.commands.convert
    """,
    "tests/converter/test_networks.py": """
        converter.tensorflow.tasks
    """,
    "tests/converter/tflite/test_inspection.py": """
        converter.cli converter.commands.inspect
    """,
    "tests/edge/outbox/test_table.py": """
        edge.ledger.migrations.versions.v0006_outbox
    """,
    "tests/edge/publish/test_program.py": """
        edge.publish.cli edge.publish.receiver edge.publish.receivers
    """,
    "tests/edge/commands/control/test_asking.py": """
        edge.commands.control.clear edge.commands.control.reset edge.commands.control.resume
    """,
    "tests/edge/commands/control/test_pause.py": """
        edge.commands.control.mode edge.commands.control.stop
    """,
    "tests/edge/lanes/test_lanes.py": """
        edge.lanes.by_hand
    """,
    "tests/edge/control/test_server.py": """
        edge.control.client edge.control.place
    """,
    "tests/edge/publish/metrics/test_exposition.py": """
        edge.ledger.reports.seconds
    """,
    "tests/edge/commands/ledger/test_states.py": """
        edge.commands.ledger.audits
    """,
    "tests/edge/commands/ledger/test_verb.py": """
        edge.commands.ledger.named
    """,
    "tests/edge/sorting/test_dispatch.py": """
        edge.sorting.picture_uses
    """,
    "tests/edge/events/test_events.py": """
        edge.events.base
    """,
    "tests/edge/web/test_app.py": """
        edge.web.site edge.web.visit
    """,
    "tests/edge/web/pages/test_review.py": """
        edge.web.review_queue
    """,
    "tests/edge/web/pages/test_delivery.py": """
        edge.web.words.counting
    """,
    "tests/edge/web/test_reading.py": """
        edge.web.plan
    """,
    "tests/edge/web/pages/test_station.py": """
        edge.web.words.reasons
    """,
    "tests/edge/commands/test_delivery.py": """
        edge.commands.delivery edge.commands.delivery.announce edge.commands.delivery.at_the_desk
        edge.commands.delivery.change edge.commands.delivery.report edge.commands.delivery.scan
        edge.commands.delivery.stages edge.commands.delivery.status edge.config.receiving
    """,
    "tests/edge/config/test_reading.py": """
        edge.config.checks edge.config.decision edge.config.lanes
        edge.config.ledger edge.config.station edge.config.stops.section
    """,
    "tests/edge/commands/control/test_reload_bundle.py": """
        edge.rollout.telling
    """,
    "tests/edge/receiving/scanner/test_scanner_reader.py": """
        edge.receiving.scanner.access edge.receiving.scanner.source
    """,
    "tests/edge/receiving/test_station.py": """
        edge.receiving.codes.packages edge.receiving.codes.code_reader
    """,
    "tests/edge/samples/test_photographs.py": """
        edge.config.photographs edge.samples.chance
    """,
    "tests/edge/config/test_schema.py": """
        edge.commands.schema
    """,
    "tests/edge/core/dataset/test_layout.py": """
        edge.core.dataset.class_map edge.core.dataset.split_names edge.core.dataset.picture_set
    """,
    "tests/edge/core/images/test_contact_sheet.py": """
        edge.core.images.html_text
    """,
    "tests/edge/core/images/test_image_file.py": """
        edge.core.images.container edge.core.images.orientation
    """,
    "tests/edge/core/model/test_metrics.py": """
        edge.core.model.figures edge.core.model.wilson
    """,
    "tests/edge/core/model/test_model_file.py": """
        edge.core.model.flatbuffer edge.core.model.model_operators
    """,
    "tests/edge/core/test_yaml_file.py": """
        edge.core.yaml_kinds edge.core.yaml_messages
    """,
    "tests/edge/lanes/test_actuators.py": """
        edge.lanes.arm edge.lanes.coil edge.lanes.pulses.software edge.lanes.servo
    """,
    "tests/edge/lanes/pulses/test_hardware.py": """
        edge.pins.pins edge.lanes.pulses
    """,
    "tests/edge/lanes/pulses/test_pca9685.py": """
        edge.pins.i2c
    """,
    "tests/edge/vision/trigger/test_signals.py": """
        edge.vision.trigger.beam edge.vision.trigger.button edge.vision.trigger.socket
    """,
    "tests/edge/lanes/test_belt_travel.py": """
        edge.lanes.encoder
    """,
    "tests/edge/lanes/bins/test_lane.py": """
        edge.lanes.bins edge.lanes.bins.carousel edge.lanes.bins.flap
    """,
    "tests/edge/lanes/motion/test_drive.py": """
        edge.lanes.motion.homing edge.pins.inputs
    """,
    "tests/edge/lanes/test_safe_state.py": """
        edge.lanes.opening
    """,
    "tests/edge/ledger/test_ledger_process.py": """
        edge.ledger.lock
    """,
    "tests/edge/ledger/test_migrations.py": """
        edge.ledger.migrations.versions.v0001_items
        edge.ledger.migrations.versions.v0002_frames
        edge.ledger.migrations.versions.v0003_actuations
        edge.ledger.migrations.versions.v0004_events
        edge.ledger.migrations.versions.v0005_corrections
        edge.ledger.migrations.versions.v0007_indexes
        edge.ledger.migrations.versions.v0008_exposure
        edge.ledger.migrations.versions.v0009_review
        edge.ledger.migrations.versions.v0010_happenings
    """,
    "tests/edge/ledger/test_ledger.py": """
        edge.ledger.sqlite_file
    """,
    "tests/edge/ledger/test_recorder.py": """
        edge.ledger.writer_thread edge.ledger.losses
        edge.ledger.observers
    """,
    "tests/edge/ledger/test_spill.py": """
        edge.ledger.rows
    """,
    "tests/edge/receiving/test_counting.py": """
        edge.receiving.answering
    """,
    "tests/edge/receiving/test_desk.py": """
        edge.receiving.delivery edge.receiving.named
    """,
    "tests/edge/receiving/test_goods.py": """
        edge.receiving.columns
    """,
    "tests/edge/commands/test_init.py": "edge.config.first_file.vision",
    "tests/edge/receiving/reports/test_difference_page.py": """
        edge.receiving.reports.difference edge.receiving.reports.difference_csv
    """,
    "tests/edge/receiving/test_state.py": """
        edge.receiving.events
    """,
    "tests/edge/rollout/test_install.py": """
        edge.commands.rollback
    """,
    "tests/edge/runtime/test_supervisor.py": """
        edge.runtime.worker
    """,
    "tests/edge/samples/test_capture.py": """
        edge.vision.trigger
    """,
    "tests/edge/simulation/belt/test_scene.py": """
        edge.simulation.belt.drawing.art edge.simulation.belt.drawing.carton
        edge.simulation.belt.drawing.fruit edge.simulation.belt.drawing.paper
        edge.simulation.belt.drawing.revolved edge.simulation.belt.drawing.surface
        edge.simulation.belt.drawing.vessels edge.simulation.belt.noise
    """,
    "tests/edge/simulation/belt/test_traffic.py": """
        edge.simulation.belt.sprite
    """,
    "tests/edge/sorting/test_sorter.py": """
        edge.sorting.model edge.sorting.sorting_state edge.sorting.vote_deadlines
    """,
    "tests/edge/telemetry/test_host.py": """
        edge.telemetry.finding
    """,
    "tests/edge/simulation/account/test_page.py": """
        edge.simulation.account.gallery edge.simulation.account.report
    """,
    "tests/edge/simulation/faults/test_table.py": """
        edge.simulation.faults.belt edge.simulation.faults.camera edge.simulation.faults.contacts
        edge.simulation.faults.fault edge.simulation.faults.machine
    """,
    "tests/edge/simulation/test_scored_run.py": """
        edge.simulation.world.scored
    """,
    "tests/edge/simulation/test_simulate.py": """
        edge.simulation.contacts edge.simulation.encoder edge.simulation.operator
        edge.simulation.stand_ins edge.simulation.world.signals
        edge.simulation.options
        edge.simulation.running edge.simulation.watching edge.simulation.world
    """,
    "tests/edge/test_station.py": """
        edge.ledger.opening edge.sorting.loop edge.sorting.opening
        edge.sorting.threads
    """,
    "tests/edge/test_station_state.py": """
        edge.state.as_before
    """,
    "tests/edge/vision/camera/test_stream.py": """
        edge.vision.camera.opencv
    """,
    "tests/edge/vision/camera/test_usb.py": """
        edge.vision.camera
    """,
    "tests/edge/vision/test_latest_frame.py": """
        edge.flow
    """,
    "tests/edge/vision/trigger/test_motion.py": """
        edge.vision.trigger.background edge.vision.trigger.blobs edge.vision.trigger.page
        edge.vision.trigger.tracks
    """,
    "tests/test_readme.py": """
        edge.core.errors
    """,
    "tests/test_without_tensorflow.py": """
        trainer.tensorflow
    """,
    "tests/trainer/audit/test_clean.py": """
        trainer.commands.data_clean
    """,
    "tests/trainer/audit/test_check_page.py": """
        trainer.audit.page_thumbnails trainer.audit.review
    """,
    "tests/trainer/audit/test_problems.py": """
        trainer.audit.check
    """,
    "tests/trainer/augment/test_augment.py": """
        trainer.augment.background_swap trainer.augment.camera_effects trainer.augment.chance
        trainer.augment.geometry trainer.augment.light trainer.augment.occlusion
        trainer.augment.randaugment
    """,
    "tests/trainer/calibration/test_accept_thresholds.py": """
        trainer.statistics.likelihood
    """,
    "tests/trainer/calibration/test_crossfit.py": """
        trainer.calibration.calibrate trainer.fit.prepare
    """,
    "tests/trainer/commands/test_data_check.py": """
        trainer.commands.data
    """,
    "tests/trainer/commands/test_data_get.py": """
        trainer.data.public_sets
    """,
    "tests/trainer/compare/test_comparison.py": """
        trainer.compare.comparison_page
    """,
    "tests/trainer/compare/test_trainings.py": """
        trainer.commands.compare trainer.compare.speed
    """,
    "tests/trainer/data/duplicates/test_near_duplicates.py": """
        trainer.data.duplicates.near_alignment trainer.data.duplicates.near_candidates
    """,
    "tests/trainer/data/test_arrays.py": """
        trainer.data.array_files
    """,
    "tests/trainer/data/test_row_store.py": """
        trainer.data.cache_folder
    """,
    "tests/trainer/evaluation/test_crossval.py": """
        trainer.evaluation.scored_folds
    """,
    "tests/trainer/evaluation/test_new_pictures.py": """
        trainer.commands.evaluate trainer.commands.explain trainer.report.evaluation_page
        trainer.report.explanation_page trainer.report.shown_explanation
    """,
    "tests/trainer/fit/test_phases.py": """
        trainer.fit.learner trainer.fit.learning_rate_finder trainer.fit.optimizers
        trainer.fit.preconditions trainer.fit.predict trainer.fit.trained
        trainer.fit.weight_averaging
    """,
    "tests/trainer/networks/parts/test_efficientnet_lite.py": """
        trainer.networks.efficientnet_lite0 trainer.networks.efficientnet_lite1
        trainer.networks.efficientnet_lite2 trainer.networks.parts.first_use
        trainer.networks.parts.lite_release
    """,
    "tests/trainer/networks/test_networks.py": """
        trainer.networks.advanced_cnn trainer.networks.ann trainer.networks.cnn
        trainer.networks.convnet trainer.networks.densenet121 trainer.networks.flat
        trainer.networks.mobilenet_v2 trainer.networks.parts.blocks trainer.networks.parts.head
        trainer.networks.parts.weights trainer.networks.textbook_cnn trainer.networks.tuned_cnn
    """,
    "tests/trainer/recipes/test_reading.py": """
        trainer.recipes.network_names trainer.recipes.plan
    """,
    "tests/trainer/report/test_predictions_csv.py": """
        trainer.evaluation.predictions
    """,
    "tests/trainer/report/test_report_page.py": """
        trainer.report.charts trainer.report.report_facts trainer.report.metrics_json
        trainer.report.thumbnails
    """,
    "tests/trainer/session/test_from_run.py": """
        trainer.fit.earlier_run trainer.fit.teacher_run
    """,
    "tests/trainer/session/test_training.py": """
        trainer trainer.cli trainer.commands.arguments trainer.commands.cross_validate
        trainer.commands.find_rate trainer.commands.recipes trainer.commands.train
        trainer.run trainer.session.evaluation
        trainer.session.interrupt trainer.session.run_writer trainer.session.stage_times
        trainer.session.training_session
    """,
    "tests/trainer/sweep/test_sweeping.py": """
        trainer.commands.sweep trainer.sweep.objective
    """,
}
"""Test file -> modules that it shows at work through what calls them, which have none of their own.

`edge/a/b.py` has its tests in `tests/edge/a/test_b.py`, and `edge/a/__init__.py` in
`tests/edge/a/test_a.py`. A module is named here where its behaviour is a part of another one's, and
shows better there: a step of a verb, a shape that is drawn, a layer of a network.
"""


def elsewhere() -> dict[str, str]:
    """Module -> the test file that the table names for it."""
    return {name: test for test, names in TESTED_ELSEWHERE.items() for name in names.split()}


def has_behaviour(file: Path) -> bool:
    """Whether a module has functions; one that only starts a command line is left out."""
    tree = ast.parse(file.read_text("utf-8"))
    return file.name != "__main__.py" and any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree)
    )


def own_test(file: Path) -> Path:
    """Where one looks for the tests of a module."""
    stem = file.parent.name if file.name == "__init__.py" else file.stem
    return ROOT / "tests" / file.parent.relative_to(ROOT) / f"test_{stem}.py"


UNTESTED = {
    name for name, file in MODULES.items() if has_behaviour(file) and not own_test(file).is_file()
}


def test_each_module_with_behaviour_has_its_test_file_or_is_in_the_table() -> None:
    missing = {str(own_test(MODULES[name]).relative_to(ROOT)) for name in UNTESTED - {*elsewhere()}}
    assert missing == set(), "write these, or name their modules in TESTED_ELSEWHERE"


def test_the_table_names_only_modules_that_have_no_test_file_of_their_own() -> None:
    assert {*elsewhere()} - UNTESTED == set()


def test_the_table_names_test_files_that_are_there() -> None:
    assert [test for test in TESTED_ELSEWHERE if not (ROOT / test).is_file()] == []


def test_the_table_names_a_module_once() -> None:
    names = [name for names in TESTED_ELSEWHERE.values() for name in names.split()]
    assert len(names) == len(set(names))
