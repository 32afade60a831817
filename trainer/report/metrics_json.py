"""The figures of a report as the object of `metrics.json`."""

from __future__ import annotations

from trainer.report.report_facts import ReportFacts
from trainer.report.report_warnings import report_warnings
from trainer.report.scored_split import (
    ScoredSplit,
    accepting,
    calibration,
    class_rows,
    confusion_matrix,
    confusions,
)


def metrics_json(facts: ReportFacts) -> dict[str, object]:
    """All figures of the report, for `metrics.json`."""
    splits = {
        "test": facts.test, "validation": facts.validation, "cross_fitted": facts.cross_fitted
    }  # fmt: skip
    use = facts.held_out_use
    return {
        "verdict": facts.verdict.to_json(),
        "notes": list(facts.notes),
        "measured": [each.to_json() for each in facts.measured],
        **{name: _of_part(facts, split) for name, split in splits.items() if split is not None},
        "labels": list(facts.labels),
        "thresholds": {
            label: {
                "value": t.value, "accepted": t.accepted, "right": t.right, "note": t.note
            }
            for label, t in facts.thresholds.items()
        },
        "accept_basis": facts.basis and facts.basis.model_dump(mode="json"),
        "left_out": list(facts.left_out),
        "unknown": facts.unknown
        and {
            "score": facts.unknown.kind,
            "threshold": facts.unknown.threshold,
            "keep": facts.unknown.keep,
            "kept": facts.unknown.kept.to_json(),
            "rejected_known": facts.unknown.rejected.to_json(),
            "keep_shown": facts.unknown.shown,
            "found": {k: figure.to_json() for k, figure in facts.unknown.found.items()},
            "auroc": dict(facts.unknown.auroc),
            "note": facts.unknown.note,
        },
        "learning_curve": facts.learning and facts.learning.to_json(),
        "robustness": [each.to_json() for each in facts.disturbed],
        "test_looks": use and {"times": use.times, "first": use.first, "note": use.note},
        "warnings": [warning.title for warning in report_warnings(facts)],
    }  # fmt: skip


def _of_part(facts: ReportFacts, split: ScoredSplit) -> dict[str, object]:
    sampling = split.resampling()
    accuracy = sampling.share(split.right)
    taken = accepting(split, facts.labels, facts.accept)
    before = calibration(split.raw_scores, split.truth)
    after = calibration(split.scores, split.truth)
    return {
        "images": len(split.truth),
        "groups": sampling.groups,
        "accuracy": accuracy.value,
        "accuracy_interval": accuracy.interval,
        "accepted": taken.accepted.value,
        "accepted_interval": taken.accepted.interval,
        "purity": taken.purity.value,
        "purity_interval": taken.purity.interval,
        "classes": {
            row.label: {
                "images": row.pictures,
                "precision": row.precision.value,
                "precision_interval": row.precision.interval,
                "recall": row.recall.value,
                "recall_interval": row.recall.interval,
                "f1": row.f1.value,
                "f1_interval": row.f1.interval,
            }
            for row in class_rows(split, facts.labels)
        },
        "confusion": confusion_matrix(split, len(facts.labels)).tolist(),
        "confused": [
            {"is": c.label, "taken_for": c.taken_for, "images": c.pictures.count}
            for c in confusions(split, facts.labels)
        ],
        "calibration": {
            "temperature": split.temperature,
            "before": before and before.to_json(),
            "after": after and after.to_json(),
        },
    }
