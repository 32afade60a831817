"""`pilah-edge` as it is called: its verbs, its help, and its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge import cli
from tests.bundles import BGR, write_picture

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the following arguments are required: VERB"),
        (["sort"], "invalid choice: 'sort'"),
        (["classify"], "the following arguments are required: BUNDLE, IMAGE"),
        (["inspect", "x", "--jsn"], "unrecognized arguments: --jsn"),
        (["inspect", "x", "--js"], "unrecognized arguments: --js"),
        (["classify", "x", "y", "--threads", "two"], "must be a number. Received: 'two'"),
        (["simulate", "x", "--count", "1.5"], "--count: must be a whole number. Received: '1.5'"),
        (["simulate", "x", "--seed", "1e3"], "--seed: must be a whole number. Received: '1e3'"),
        (["simulate", "x", "--find-rate", ""], "--find-rate: must be a number. Received: ''"),
        (["lane", "move", "x", "a", "--seconds", "1,5"], "must be a number. Received: '1,5'"),
        (["lane", "move", "x", "a", "--seconds", "nan"], "must be above 0. Received: nan"),
        (["bench", "x", "--pin", "99"], "--pin: must be a BCM number, 0 to 27"),
        (["bench", "x", "--pin", "BOARD12"], "BOARD12"),
        (["bench", "x", "--fail-over", "ten"], "--fail-over: must be a number. Received: 'ten'"),
        (["mode", "x", "repair"], "invalid choice: 'repair'"),
        (["stop"], "the following arguments are required: STATION.yaml"),
        (["roi", "x", "--region", "1,2,3"], "must be LEFT,TOP,WIDTH,HEIGHT in pixels"),
    ],
)
def test_wrong_words_end_with_2_and_say_where_help_is(
    capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert err.endswith("--help says what it takes\n")


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for name, verb in cli.VERBS.items():
        assert f"{name:<10} {verb.summary}" in out


@pytest.mark.parametrize("name", cli.VERBS)
def test_every_verb_has_help_of_its_own(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help"])
    assert caught.value.code == 0
    assert f"usage: pilah-edge {name}" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"pilah-edge {edge.__version__}\n"


# As a process of its own


def pilah_edge(*words: object, code: str = "") -> subprocess.CompletedProcess[str]:
    start = ["-c", code] if code else ["-m", "edge"]
    return subprocess.run(
        [sys.executable, *start, *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    code = """
import sys
from edge.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
print(sorted({"numpy", "cv2", "pydantic", "yaml", "sqlalchemy", "gpiozero"} & set(sys.modules)))
"""
    assert pilah_edge(code=code).stdout.splitlines()[-1] == "[]"


def _shell(line: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Runs a bash line in which "$@" is `python -m edge` and `words`; buffered, as in a pipe."""
    import os

    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", "bash", sys.executable, "-m", "edge",
         *map(str, words)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def without_runtimes_talk(err: str) -> str:
    """stderr without what the TFLite runtime itself writes there."""
    return "".join(line for line in err.splitlines(True) if not line.startswith("INFO: "))


@pytest.mark.parametrize("reader", ["head -n 1", "true"])
def test_a_reader_that_has_seen_enough_is_no_error(tiny_bundle: Path, reader: str) -> None:
    done = _shell(f'"$@" | {reader}', "inspect", tiny_bundle)
    assert done.returncode == 0
    assert without_runtimes_talk(done.stderr) == ""


def test_more_than_a_pipe_holds_to_a_closed_reader(tiny_bundle: Path, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "red.png", BGR["red"], height=8, width=9)
    done = _shell('"$@" | head -n 1', "classify", tiny_bundle, *[picture] * 2000)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{picture}: red ")
    assert without_runtimes_talk(done.stderr) == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk_is_an_error(tiny_bundle: Path) -> None:
    done = _shell('"$@" > /dev/full', "inspect", tiny_bundle)
    assert done.returncode == 74
    says = "pilah-edge: error: output: No space left on device\n"
    assert without_runtimes_talk(done.stderr) == says


def test_ctrl_c_ends_with_130(tiny_bundle: Path) -> None:
    code = """
import os, signal, sys
import edge.core.model.bundle
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background jobs
edge.core.model.bundle.read_bundle = lambda path: os.kill(os.getpid(), signal.SIGINT)
from edge.cli import main
sys.exit(main(sys.argv[1:]))
"""
    done = pilah_edge("inspect", tiny_bundle, code=code)
    assert (done.returncode, done.stderr) == (130, "pilah-edge: error: stopped by Ctrl-C\n")
