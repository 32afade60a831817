"""Scoring with TF.js in Node.js, also if Node.js is missing, fails or is interrupted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.errors import LibraryMissingError, TfjsError
from converter.exports.tfjs import run_in_node
from converter.exports.tfjs.library import tfjs_library
from converter.exports.tfjs.run_in_node import score_in_node

TENSORS = np.zeros((2, 4, 4, 3), np.uint8)


def node(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces Node.js by a shell script."""
    program = folder / "node"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    monkeypatch.setattr(run_in_node, "find_node", lambda: program)


def test_without_node_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_in_node, "find_node", lambda: None)
    with pytest.raises(LibraryMissingError, match=r"no Node\.js on this machine.*nodejs"):
        score_in_node(tmp_path, TENSORS, library=tmp_path / "tf.js")


def test_what_node_writes_comes_back_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(6, dtype="<f4")
    values.tofile(tmp_path / "values")
    shapes = json.dumps({"scores": [2, 3]})
    # The words: script, library, model, folder.
    text = f'cp {tmp_path / "values"} "$4/scores"; echo \'{shapes}\' > "$4/outputs.json"'
    node(tmp_path, text, monkeypatch)
    found = score_in_node(tmp_path, TENSORS, library=tmp_path / "tf.js")
    np.testing.assert_array_equal(found["scores"], values.reshape(2, 3))


def test_a_node_that_fails_has_its_last_words_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node(tmp_path, "echo 'Unknown op Erfinv'; exit 3", monkeypatch)
    with pytest.raises(TfjsError, match=r"exit code 3\): Unknown op Erfinv"):
        score_in_node(tmp_path, TENSORS, library=tmp_path / "tf.js")


def test_ctrl_c_ends_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node(tmp_path, "exec sleep 600", monkeypatch)
    waited: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen.wait

    def interrupted(self: subprocess.Popen[bytes], timeout: float | None = None) -> Any:
        if not waited:
            waited.append(self)
            raise KeyboardInterrupt
        return real(self, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        score_in_node(tmp_path, TENSORS, library=tmp_path / "tf.js")
    assert waited[0].returncode == -9


@pytest.mark.slow
def test_a_model_with_an_operator_that_tf_js_has_not_is_refused_in_its_words(
    tmp_path: Path,
) -> None:
    picture = {"name": "picture", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}}
    scores = {"name": "scores", "op": "Nonsense", "input": ["picture"], "attr": {}}
    given, made = ({"name": f"{name}:0", "dtype": "DT_FLOAT"} for name in ("picture", "scores"))
    model = {
        "format": "graph-model",
        "signature": {"inputs": {"picture": given}, "outputs": {"scores": made}},
        "modelTopology": {"node": [picture, scores], "versions": {}},
        "weightsManifest": [{"paths": [], "weights": []}],
    }
    (tmp_path / "model.json").write_text(json.dumps(model))
    with pytest.raises(TfjsError, match="Nonsense"):
        score_in_node(tmp_path, TENSORS, library=tfjs_library())
