"""A model that does harm does it to a child process; one that does none is tried once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from edge.core.errors import BundleFormatError, TrialError
from edge.core.model import trial
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.trial import check_bundle_harmless, check_model_harmless, note_harmless
from tests.bundles import TINY, make_bundle


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of notes of the test's own, and a process that knows nothing."""
    monkeypatch.setenv("PILAH_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(trial, "_known", set())
    return tmp_path / "state" / "tried"


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was tried; in place of trying it."""
    names: list[str] = []
    monkeypatch.setattr(trial, "_try_apart", lambda model, golden, name: names.append(name))
    return names


def forget() -> None:
    """As a new process begins."""
    trial._known.clear()


def test_a_bundle_is_tried_once(tiny_bundle: Path, tried: list[str], state: Path) -> None:
    bundle = read_bundle(tiny_bundle)
    for _ in range(3):
        Classifier(bundle)
        forget()
    assert tried == [str(tiny_bundle)]
    (note,) = state.iterdir()
    assert note.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["flipped", "cut", "for another model", "of others", "a link"])
def test_a_note_that_is_not_as_it_was_written_counts_for_nothing(
    tiny_bundle: Path, tried: list[str], state: Path, damage: str
) -> None:
    bundle = read_bundle(tiny_bundle)
    check_bundle_harmless(bundle)
    (note,) = state.iterdir()
    content = note.read_bytes()
    if damage == "flipped":
        note.write_bytes(content.replace(b"harm", b"hasm"))
    elif damage == "cut":
        note.write_bytes(content[:-1])
    elif damage == "for another model":
        note.write_bytes(content[:-65] + b"0" * 64 + b"\n")
    elif damage == "of others":
        note.chmod(0o622)
    else:
        note.rename(state / "elsewhere")
        note.symlink_to(state / "elsewhere")
    forget()
    check_bundle_harmless(bundle)
    assert len(tried) == 2


def test_other_kernels_another_runtime_another_picture_is_tried_anew(
    tmp_path: Path, tried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    check_bundle_harmless(read_bundle(bundle))
    forget()
    check_bundle_harmless(read_bundle(make_bundle(tmp_path / "renamed", name="other", version="2")))
    assert len(tried) == 1
    forget()
    monkeypatch.setattr(
        "edge.core.model.interpreter.load_runtime", lambda: (None, "tflite-runtime 9")
    )
    check_bundle_harmless(read_bundle(bundle))
    assert len(tried) == 2


def test_what_a_pinned_key_signed_is_not_tried(tiny_bundle: Path, tried: list[str]) -> None:
    from dataclasses import replace

    check_bundle_harmless(replace(read_bundle(tiny_bundle), signer="0123456789abcdef"))
    assert tried == []


def test_what_this_process_has_made_is_not_tried(tiny_bundle: Path, tried: list[str]) -> None:
    note_harmless(read_bundle(tiny_bundle))
    forget()
    check_bundle_harmless(read_bundle(tiny_bundle))
    assert tried == []


def test_without_a_place_for_notes_it_is_tried_each_time(
    tiny_bundle: Path, tried: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("PILAH_STATE", str(tmp_path / "file" / "state"))
    for _ in range(2):
        check_bundle_harmless(read_bundle(tiny_bundle))
        forget()
    assert len(tried) == 2


def test_notes_do_not_pile_up(
    tiny_bundle: Path, tried: list[str], state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_MOST_NOTES", 3)
    state.mkdir(parents=True)
    for number in range(5):
        (state / f"{number}").write_bytes(b"")
        os.utime(state / f"{number}", (number, number))
    check_bundle_harmless(read_bundle(tiny_bundle))
    assert {"3", "4"} < {note.name for note in state.iterdir()}
    assert len(list(state.iterdir())) == 3


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (-signal.SIGSEGV, r"x: its model ends the process that runs it \(SIGSEGV\)"),
        (-signal.SIGABRT, "SIGABRT"),
        (-signal.SIGFPE, "SIGFPE"),
        (-signal.SIGBUS, "SIGBUS"),
        (-signal.SIGXCPU, "takes more than 60 s for one picture"),
    ],
)
def test_a_model_that_ends_the_process_is_refused(code: int, says: str) -> None:
    with pytest.raises(BundleFormatError, match=says):
        trial._judge(code, "", "x")


@pytest.mark.parametrize("code", [-signal.SIGKILL, -signal.SIGTERM, 1, 0])
def test_what_the_model_is_not_to_blame_for_is_to_be_tried_again(code: int) -> None:
    with pytest.raises(TrialError, match=r"[Tt]ry again"):
        trial._judge(code, "", "x")
    assert TrialError.exit_code == 69


def test_in_a_process_of_its_own_a_good_model_is_used_and_a_bad_one_is_told_of(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    check_bundle_harmless(read_bundle(tiny_bundle))  # takes an interpreter's start
    bundle = read_bundle(make_bundle(tmp_path / "cut"))
    broken = {name: png[:-30] for name, png in bundle.golden.items()}
    with pytest.raises(BundleFormatError, match=r"x: golden/\d\.png: this PNG file is damaged"):
        trial._try_apart(bundle.model, broken, "x")


def test_a_model_of_any_input_is_tried_by_itself() -> None:
    check_model_harmless(TINY.with_name("tiny_float_input.tflite").read_bytes(), name="x")
    with pytest.raises(BundleFormatError, match="x: not a TFLite model"):
        check_model_harmless(b"none", name="x")
