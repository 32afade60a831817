"""What all commands share: errors and their exit codes, data on stdout, talk on stderr."""

from __future__ import annotations

import argparse
import errno
import importlib.util
import logging
import sys
import threading
import types
from collections.abc import Callable, Mapping, Sequence

import pytest

from converter.cli import main as converter_main
from edge.cli import main as edge_main
from edge.core import command_line
from edge.core.command_line import Verb, print_json, run_program
from edge.core.errors import BundleError, ConfigError, PilahError, StorageError, UsageError
from edge.core.terminal.hints import install_command
from trainer.cli import main as trainer_main
from trainer.commands import data


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a program of one verb, `try`, whose work is given."""

    def run(work: Callable[[], int], *words: str) -> int:
        module = types.ModuleType("verb_of_a_test", "Try something.")
        module.add_arguments = lambda parser: parser.add_argument("--long-name")  # type: ignore[attr-defined]
        module.run = lambda arguments: work()  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        verbs: Mapping[str, Verb] = {"try": Verb("try it", module.__name__)}
        return run_program("pilah-test", "A test.", verbs, extra="edge", words=["try", *words])

    return run


def raiser(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    "words",
    [
        ["init", "BUNDLE", "STATION", "--kind", "belt"],
        ["init", "--kind", "belt", "BUNDLE", "STATION"],
        ["init", "BUNDLE", "--kind", "belt", "STATION"],
        ["rollback", "STATION", "-v", "3"],
        ["rollback", "-v", "STATION", "3"],
        ["lane", "--seconds", "1", "move", "STATION", "red"],
        ["lane", "move", "STATION", "--seconds", "1", "red"],
    ],
)
def test_a_word_that_may_be_left_out_stands_on_either_side_of_options(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[argparse.Namespace] = []

    def tell(arguments: argparse.Namespace) -> int:
        told.append(arguments)
        return 0

    monkeypatch.setattr(f"edge.commands.{words[0]}.run", tell)
    assert edge_main(words) == 0
    found = vars(told[0])
    assert str(found["station"]) == "STATION"
    assert str(found.get("bundle", found.get("version", found.get("lane")))) in (
        "BUNDLE", "3", "red",
    )  # fmt: skip


@pytest.mark.parametrize("code", [0, 1])
def test_a_verbs_answer_is_the_exit_code(program: Callable[..., int], code: int) -> None:
    assert program(lambda: code) == code


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (UsageError("words"), 2, "words"),
        (BundleError("bytes"), 65, "bytes"),
        (ModuleNotFoundError("x", name="keras.layers"), 69,
         f"the package 'keras' is not installed: {install_command('edge')}"),
        (StorageError("disk"), 74, "disk"),
        (PermissionError(errno.EACCES, "Permission denied", "a.csv"), 74,
         "a.csv: Permission denied"),
        (ConfigError("station.yaml", ["3: no"]), 78, "station.yaml:3: no"),
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
    ],
)  # fmt: skip
def test_a_mistake_ends_in_one_line_and_its_exit_code(
    program: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    says: str,
) -> None:
    assert program(raiser(error)) == code
    assert capsys.readouterr() == ("", f"pilah-test: error: {says}\n")


@pytest.mark.parametrize(
    "error",
    [ZeroDivisionError("a bug"), ModuleNotFoundError("a bug", name="edge.core.model.gone"),
     OSError("a bug without a number")],
)  # fmt: skip
def test_a_bug_keeps_its_traceback(program: Callable[..., int], error: Exception) -> None:
    with pytest.raises(type(error), match="a bug"):
        program(raiser(error))


def _classes(of: type[PilahError]) -> list[type[PilahError]]:
    return [of, *(deeper for below in of.__subclasses__() for deeper in _classes(below))]


def test_every_error_has_a_documented_exit_code() -> None:
    assert {error.exit_code for error in _classes(PilahError)} <= {1, 2, 65, 69, 71, 74, 78}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "it goes on\nlost one\npilah-test: error: gone\n"),
        (["-q"], "lost one\npilah-test: error: gone\n"),
        (["--quiet"], "lost one\npilah-test: error: gone\n"),
    ],
)
def test_quiet_leaves_what_is_wrong_and_what_is_data(
    program: Callable[..., int], capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    def work() -> int:
        log = logging.getLogger("trainer.somewhere")
        log.debug("step 1 of 9")
        log.info("it goes on")
        log.warning("lost one")
        print_json({"found": 3})
        raise UsageError("gone")

    assert program(work, *words) == 2
    assert capsys.readouterr() == ('{"found": 3}\n', says)


@pytest.mark.parametrize("word", ["-v", "--verbose"])
def test_verbose_tells_details_who_says_them_and_where_an_error_comes_from(
    program: Callable[..., int], capsys: pytest.CaptureFixture[str], word: str
) -> None:
    def work() -> int:
        logging.getLogger("trainer.somewhere").debug("step 1 of 9")
        logging.getLogger("a_library").info("connected")
        logging.getLogger("a_library").debug("1 byte")
        raise UsageError("gone")

    assert program(work, word) == 2
    said = capsys.readouterr().err
    assert said.startswith("debug edge.core.command_line: pilah-test ")
    assert "\ndebug trainer.somewhere: step 1 of 9\ninfo a_library: connected\n" in said
    assert "Traceback" in said
    assert said.endswith("pilah-test: error: gone\n")
    assert "1 byte" not in said


def test_it_is_quiet_or_verbose(
    program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        program(lambda: 0, "-v", "-q")
    assert "not allowed with argument" in capsys.readouterr().err


def test_the_next_command_in_the_same_process_is_neither(
    program: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        logging.getLogger("edge.somewhere").info("it goes on")
        return 0

    assert [program(work, *words) for words in (["-q"], [], ["-v"], [])] == [0] * 4
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "it goes on" in line] == [
        "it goes on", "info edge.somewhere: it goes on", "it goes on",
    ]  # fmt: skip


@pytest.mark.parametrize("main", [edge_main, trainer_main, converter_main])
def test_every_verb_of_every_program_takes_both(
    main: Callable[[Sequence[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    verbs = [[verb] for verb in importlib.import_module(main.__module__).VERBS]
    if ["data"] in verbs:
        verbs += [["data", verb] for verb in data.VERBS]
        verbs.remove(["data"])
    for words in verbs:
        with pytest.raises(SystemExit, match="0"):
            main([*words, "--help"])
        told = capsys.readouterr().out
        assert "-v, --verbose" in told, words
        assert "-q, --quiet" in told, words


@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="needs the trainer")
def test_verbs_within_a_verb_take_both_before_and_behind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["-q", "list"], ["list", "-q"]):
        assert trainer_main(["recipes", *words]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "words", [["-q", "data", "get"], ["data", "-q", "get"], ["data", "get", "-q"]]
)
def test_what_a_verb_is_told_holds_for_those_within_it(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.commands import data_get

    def run(arguments: argparse.Namespace) -> int:
        logging.getLogger("trainer.somewhere").info("it goes on")
        return 0

    monkeypatch.setattr(data_get, "run", run)
    assert trainer_main([*words, "deepweeds", "--out", "nowhere"]) == 0
    assert capsys.readouterr().err == ""


def test_a_bug_in_a_thread_keeps_its_traceback_but_no_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        raise ValueError("rtsp://admin:S3cretPw@host")

    monkeypatch.setattr(threading, "excepthook", command_line._tell_bug_of_thread)
    thread = threading.Thread(target=work, name="camera")
    thread.start()
    thread.join()
    said = capsys.readouterr().err
    assert said.startswith("Exception in thread camera:\nTraceback")
    assert "S3cretPw" not in said
