"""What all commands share: errors and their exit codes, data on stdout, talk on stderr."""

from __future__ import annotations

import errno
import sys
import types
from collections.abc import Callable, Mapping

import pytest

from edge.core.command_line import Verb, run_program, say
from edge.core.errors import BundleError, ConfigError, PilahError, StorageError, UsageError
from edge.core.terminal.hints import install_command


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
    assert {error.exit_code for error in _classes(PilahError)} <= {1, 2, 65, 69, 74, 78}


def test_say_speaks_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")
    assert capsys.readouterr() == ("", "hello\n")
