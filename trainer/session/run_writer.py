"""Writes the run: the model, its proof, and which pictures it was made of."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture
from edge.core.files import new_folder
from trainer.calibration.novelty import with_unknown_output
from trainer.calibration.verdicts import Verdicts
from trainer.fit.phases import Best, Epoch
from trainer.fit.predict import TrainingSet
from trainer.fit.prepare import Prepared
from trainer.recipes.reading import recipe_yaml
from trainer.report.confusion import draw_confusion
from trainer.report.facts import ReportFacts
from trainer.report.metrics import metrics_json
from trainer.report.page import write_report
from trainer.report.scored import confusion_matrix
from trainer.run import (
    CONFUSION,
    HISTORY,
    METRICS,
    MODEL,
    RECIPE,
    REPORT,
    SKIPPED,
    TENSORBOARD,
    RunFacts,
    write_facts,
    write_split,
)
from trainer.session.evaluation import Stages, prove


def write_run(
    out: Path,
    prepared: Prepared,
    whole: TrainingSet,
    best: Best,
    verdicts: Verdicts,
    *,
    cut: str,
    frozen: npt.NDArray[np.float32] | None,
    pictures: Sequence[LabelledPicture],
    facts: RunFacts,
    command: Sequence[str],
    logs: Path,
    stages: Stages,
    deadline: float,
    replace: bool,
) -> tuple[ReportFacts, RunFacts]:
    """Writes the folder `out`, whole or not at all; what the report tells, and what the run says.

    Args:
        prepared: its network is the trained one, the temperature folded in.
        pictures: those of `prepared`, their paths resolved.
        logs: TensorBoard's folder.
        cut, frozen, command, stages, deadline: see `prove`.
        replace: take the place of an `out` that is there already.

    Raises:
        StorageError: `out` is there already, or a disk is full.
    """
    with new_folder(out, replace=replace) as folder:
        model = prepared.network.model
        model.trainable = True
        if verdicts.unknown:
            model = with_unknown_output(model, verdicts.unknown.strangeness)
        model.save(folder / MODEL)
        (folder / RECIPE).write_text(recipe_yaml(prepared.recipe), encoding="utf-8")
        write_split(folder, Path(facts.data.root), pictures, prepared.decoded.digests)
        if prepared.skipped:
            (folder / SKIPPED).write_text("\n".join(prepared.skipped) + "\n", encoding="utf-8")
        if logs.is_dir():
            shutil.copytree(logs, folder / TENSORBOARD)
        (folder / HISTORY).write_text(_history(best), encoding="utf-8")
        report = prove(
            prepared,
            whole,
            best,
            verdicts,
            cut=cut,
            frozen=frozen,
            run=out,
            facts=facts,
            command=command,
            model_bytes=(folder / MODEL).stat().st_size,
            stages=stages,
            deadline=deadline,
        )
        metrics = json.dumps(metrics_json(report), indent=2, ensure_ascii=False)
        (folder / METRICS).write_text(metrics + "\n", encoding="utf-8")
        write_report(folder / REPORT, report)
        right = report.test.right
        draw_confusion(
            confusion_matrix(report.test, len(prepared.labels)),
            prepared.labels,
            f"test part: {int(right.sum())} of {len(right)} right",
            folder / CONFUSION,
        )
        # The report takes its time too.
        facts = facts.model_copy(update={"minutes": report.minutes})
        write_facts(folder, facts)
    return report, facts


def resolved(picture: LabelledPicture) -> LabelledPicture:
    """The picture with its folder's real path."""
    path = picture.path.parent.resolve() / picture.path.name
    return LabelledPicture(path, picture.label, picture.group, picture.part)


def root_of(data: Path, pictures: Sequence[LabelledPicture]) -> Path:
    """The folder that the paths of `split.csv` are relative to."""
    root = (data if data.is_dir() else data.parent).resolve()
    if all(picture.path.is_relative_to(root) for picture in pictures):
        return root
    return Path(os.path.commonpath([picture.path.parent for picture in pictures]))


def data_digest(pictures: Sequence[LabelledPicture], digests: Sequence[str]) -> str:
    """SHA-256 over every picture's content digest, label and part."""
    lines = sorted(
        f"{digest} {picture.label} {picture.part}"
        for digest, picture in zip(digests, pictures, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


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
