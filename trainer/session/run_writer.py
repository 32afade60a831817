"""Writes the run: the model, its evaluation, and which pictures it was made of."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from edge.core.dataset import SPLITS, LabelledPicture
from edge.core.files import new_folder
from trainer.calibration.calibrate import Calibration
from trainer.calibration.novelty import with_unknown_output
from trainer.fit.phases import Best, Epoch
from trainer.fit.trained import TrainedModel
from trainer.recipes.reading import recipe_yaml
from trainer.report.confusion import draw_confusion
from trainer.report.metrics_json import metrics_json
from trainer.report.predictions_csv import write_predictions
from trainer.report.report_facts import ReportFacts
from trainer.report.report_page import write_report
from trainer.report.scored_split import confusion_matrix
from trainer.run import (
    CONFUSION,
    HISTORY,
    METRICS,
    MODEL,
    RECIPE,
    REPORT,
    SKIPPED,
    TENSORBOARD,
    DataFacts,
    RunFacts,
    StartFacts,
    UnknownFacts,
    tool_versions,
    write_facts,
    write_seen,
    write_split,
)
from trainer.session.evaluation import evaluate
from trainer.session.training_session import TrainingSession


def write_run(
    session: TrainingSession, model: TrainedModel, calibration: Calibration, *, replace: bool
) -> tuple[ReportFacts, RunFacts]:
    """Writes the run's folder, whole or not at all; what the report tells, and what the run says.

    Args:
        model: the temperature is folded into its network.
        replace: take the place of a run that is there already.

    Raises:
        StorageError: the run is there already, or a disk is full.
    """
    prepared = model.prepared
    pictures = [_resolved(picture) for picture in prepared.pictures]
    facts = _run_facts(session, model, calibration, pictures)
    with new_folder(session.request.out, replace=replace) as folder:
        network = prepared.network.model
        network.trainable = True
        if calibration.unknown:
            network = with_unknown_output(network, calibration.unknown.novelty)
        network.save(folder / MODEL)
        (folder / RECIPE).write_text(recipe_yaml(prepared.recipe), encoding="utf-8")
        write_split(folder, Path(facts.data.root), pictures, prepared.decoded.digests)
        if prepared.earlier and (seen := prepared.earlier.others(prepared.decoded.digests)):
            write_seen(folder, seen)
        if prepared.skipped:
            (folder / SKIPPED).write_text("\n".join(prepared.skipped) + "\n", encoding="utf-8")
        logs = session.checkpoint.folder / TENSORBOARD
        if logs.is_dir():
            shutil.copytree(logs, folder / TENSORBOARD)
        (folder / HISTORY).write_text(_history(model.best), encoding="utf-8")
        model_bytes = (folder / MODEL).stat().st_size
        report = evaluate(session, model, calibration, facts=facts, model_bytes=model_bytes)
        metrics = json.dumps(metrics_json(report), indent=2, ensure_ascii=False)
        (folder / METRICS).write_text(metrics + "\n", encoding="utf-8")
        write_report(folder / REPORT, report)
        write_predictions(
            folder, report.test, prepared.labels, prepared.decoded.digests, report.disturbed
        )
        right = report.test.right
        draw_confusion(
            confusion_matrix(report.test, len(prepared.labels)),
            prepared.labels,
            f"test pictures: {int(right.sum())} of {len(right)} right",
            folder / CONFUSION,
        )
        # The report takes its time too.
        facts = facts.model_copy(update={"minutes": report.minutes})
        write_facts(folder, facts)
    return report, facts


def _run_facts(
    session: TrainingSession,
    model: TrainedModel,
    calibration: Calibration,
    pictures: Sequence[LabelledPicture],
) -> RunFacts:
    request, prepared, unknown = session.request, model.prepared, calibration.unknown
    thresholds = calibration.thresholds
    return RunFacts(
        recipe=prepared.recipe.name,
        variant=request.variant,
        seed=prepared.seed,
        labels=prepared.labels,
        input=prepared.recipe.input,
        temperature=calibration.temperature,
        accept={label: threshold.value for label, threshold in thresholds.items()},
        accept_notes={
            label: threshold.note for label, threshold in thresholds.items() if threshold.note
        },
        accept_basis=calibration.basis,
        unknown=None if unknown is None else UnknownFacts.model_validate(unknown.to_json()),
        started_from=_started_from(model),
        data=DataFacts(
            path=str(request.data.resolve()),
            root=str(_root_of(request.data, pictures)),
            digest=prepared.digest,
            pictures={
                split: sum(picture.split == split for picture in pictures) for split in SPLITS
            },
            skipped=len(prepared.skipped),
        ),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        minutes=session.minutes,
        stopped_early=model.best.cut_short,
        parameters=int(prepared.network.model.count_params()),
        tools=tool_versions(),
    )


def _started_from(model: TrainedModel) -> StartFacts | None:
    earlier, start = model.prepared.earlier, model.best.start
    if earlier is None or start is None:
        return None
    known = earlier.run.facts.labels
    return StartFacts(
        run=str(earlier.run.path.resolve()),
        model=earlier.model_digest,
        new_labels=tuple(label for label in model.prepared.labels if label not in known),
        validation_accuracy=start,
    )


def _resolved(picture: LabelledPicture) -> LabelledPicture:
    """The picture with its folder's real path."""
    path = picture.path.parent.resolve() / picture.path.name
    return LabelledPicture(path, picture.label, picture.group, picture.split)


def _root_of(data: Path, pictures: Sequence[LabelledPicture]) -> Path:
    """The folder that the paths of `split.csv` are relative to."""
    root = (data if data.is_dir() else data.parent).resolve()
    if all(picture.path.is_relative_to(root) for picture in pictures):
        return root
    return Path(os.path.commonpath([picture.path.parent for picture in pictures]))


def _history(best: Best) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(Epoch)]
    writer.writerow(names)
    for line in best.history:
        writer.writerow([_rounded(getattr(line, name)) for name in names])
    return text.getvalue()


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value
