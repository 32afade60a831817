from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.core.json_text import read_typed
from edge.web.plan import ModelFacts
from edge.web.watch.bundle_facts import bundle_facts, main


def test_what_a_bundle_says_of_itself_reaches_another_process_as_it_is(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bundle_facts", str(tiny_bundle)])
    main()
    found = bundle_facts(tiny_bundle)
    assert found is not None
    assert found.input_size is not None
    assert read_typed(ModelFacts, capsys.readouterr().out.encode()) == found


def test_figures_are_given_only_with_their_interval(tiny_bundle: Path) -> None:
    manifest = json.loads((tiny_bundle / "bundle.json").read_text())
    figures = manifest.get("figures") or {}
    found = bundle_facts(tiny_bundle)
    assert found is not None
    assert (found.accuracy is None) == ("accuracy_interval" not in (figures.get("int8") or {}))


def test_a_bundle_that_cannot_be_read_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bundle_facts", str(tmp_path)])
    main()
    assert capsys.readouterr().out == ""
