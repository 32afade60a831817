"""Writes the TF.js export: a folder for any web server, with a page that classifies pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from converter.exports.tfjs.graph_model import MODEL, PICTURE
from converter.exports.tfjs.library import SCRIPT, SHA256, VERSION
from edge.core.images.preprocess import InputSpec
from edge.core.model.bundle import LABELS
from edge.core.model.interpreter import SCORES, UNKNOWN

CONTRACT = "contract.json"
SCHEMA_VERSION = 1

_PAGE = (
    "index.html",
    "style.css",
    "show.js",
    "page.js",
    "preprocess.js",
    "decide.js",
    f"{SCRIPT}.LICENSE.txt",
)


@dataclass(frozen=True, slots=True)
class Contract:
    """How a model is to be used: its input, the meaning of its outputs, and its thresholds."""

    title: str
    """The title that the page shows."""
    labels: Sequence[str]
    """The label of each class index."""
    spec: InputSpec
    accept: Mapping[str, float]
    """The accept threshold, 0..1, of every label."""
    unknown: float | None = None
    """The novelty score, 0..1, above which pictures are rejected as `unknown`; None for none."""


def write_tfjs(out: Path, *, graph_model: Path, library: Path, contract: Contract) -> None:
    """Fills the folder `out` with a model, its contract, TF.js and the page.

    Args:
        out: an empty folder, such as `edge.core.files.new_folder` makes.
        graph_model: the folder that `write_graph_model` has written.
        library: the path of `tf.es2017.min.js`, from `tfjs_library`.
        contract: how the model is to be used.
    """
    for file in sorted(graph_model.iterdir()):
        shutil.copyfile(file, out / file.name)
    shutil.copyfile(library, out / SCRIPT)
    page = resources.files("converter.exports.tfjs") / "page"
    for name in _PAGE:
        (out / name).write_bytes((page / name).read_bytes())
    (out / LABELS).write_bytes("".join(f"{label}\n" for label in contract.labels).encode())
    model = json.loads((graph_model / MODEL).read_text(encoding="utf-8"))
    text = json.dumps(_contract_json(model, contract), ensure_ascii=False, indent=2) + "\n"
    (out / CONTRACT).write_bytes(text.encode())


def _contract_json(model: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    spec = contract.spec
    outputs: dict[str, Any] = {
        SCORES: {
            "shape": [None, len(contract.labels)],
            "dtype": "float32",
            "meaning": "probability of each label, in the order of labels.txt",
        }
    }
    if UNKNOWN in model["signature"]["outputs"]:
        outputs[UNKNOWN] = {
            "shape": [None, 1],
            "dtype": "float32",
            "meaning": "novelty score 0..1: how little the picture looks like a thing of any label",
        }
    return {
        "schema_version": SCHEMA_VERSION,
        "title": contract.title,
        "model": MODEL,
        "labels": LABELS,
        "input": {
            "name": PICTURE,
            "shape": [None, *spec.shape],
            "dtype": "float32",
            "meaning": "raw levels 0..255, RGB or grey; the model normalises them itself",
        },
        "preprocessing": spec.model_dump(mode="json")
        | {
            "resize": "first shrink by whole numbers, averaging each block of pixels, then resize "
            "linearly with 8-bit weights; preprocess.js gives the same bytes as the device"
        },
        "outputs": outputs,
        "accept": dict(contract.accept),
        "unknown": {"threshold": contract.unknown} if UNKNOWN in outputs else None,
        "library": {"name": "@tensorflow/tfjs", "version": VERSION, "sha256": SHA256},
    }
