"""The command line of the three programs: verbs, errors, exit codes and output."""

from __future__ import annotations

import argparse
import errno
import importlib
import importlib.util
import io
import itertools
import json
import logging
import os
import platform
import re
import shlex
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn

from edge import __version__
from edge.core.errors import EXIT_INTERRUPTED, EXIT_IO, EXIT_OK, EXIT_UNAVAILABLE, PilahError
from edge.core.redaction import redacted_value
from edge.core.terminal.hints import install_command
from edge.core.terminal.log_lines import LogLines, Verbosity, write_traceback
from edge.core.terminal.printable import printable_output
from edge.core.terminal.speech import write_out

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of a command: `module` has `add_arguments(parser)` and `run(arguments) -> int`.

    The module is imported only when its verb is called, so that `--help` is quick.
    """

    summary: str
    module: str
    needs: tuple[str, ...] = ()
    """Packages that the verb imports only after some work, so they are looked for at its start."""


ALONE = ""
"""The name of the one verb of a program that has no verbs."""
_NO_NUMBER = re.compile(r"(.*: )invalid \w+ value: (.*)", re.DOTALL)
"""What argparse says where the type of an argument, which is a function, raises a ValueError."""
_MINUS = re.compile(r"-[0-9.]")
"""The start of a value that argparse would take for an option, such as -1."""
_VERBOSITIES: Mapping[str, Verbosity] = {
    "-v": "verbose", "--verbose": "verbose", "-q": "quiet", "--quiet": "quiet",
}  # fmt: skip


def run_program(
    name: str,
    description: str,
    verbs: Mapping[str, Verb],
    *,
    extra: str,
    words: Sequence[str] | None = None,
    hangs: Callable[[], bool] = lambda: False,
) -> int:
    """Runs one verb of a command and returns the exit code.

    A program without verbs has one, whose name is ALONE.

    An error that has a message (PilahError) is written on stderr as one `name: error:` line; so
    are a missing package, a full disk and Ctrl-C. Anything else is a bug and keeps its traceback.

    Every verb takes `--verbose` and `--quiet`, which choose what of the log is written on stderr.

    Args:
        extra: the extra of pyproject.toml that installs the packages that the verbs need.
        words: the command line without the program's name; None means that of this process.
        hangs: returns True if the verb has left a thread that hangs in a driver or on a disk. The
            process then ends without the exit handlers of libraries, which could wait for that
            thread or for a resource that it holds.
    """
    if words is not None:
        with LogLines() as lines:
            return _run_verb(name, description, verbs, extra, list(words), lines)
    sys.excepthook = _tell_bug
    threading.excepthook = _tell_bug_of_thread
    _open_missing_streams()
    with LogLines() as lines:
        code = _run_verb(name, description, verbs, extra, sys.argv[1:], lines)
    if hangs():
        os._exit(code)
    return code


def _run_verb(
    name: str,
    description: str,
    verbs: Mapping[str, Verb],
    extra: str,
    words: list[str],
    lines: LogLines,
) -> int:
    if ALONE not in verbs:
        words = _verb_first(words)
    try:
        parser, run = _parse(name, description, verbs, words)
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A file name that is not UTF-8 is printed with escapes, which are valid JSON too.
            sys.stdout.reconfigure(errors="backslashreplace")
        arguments = parser.parse_args(words)
        if (verbosity := getattr(arguments, "verbosity", None)) is not None:
            lines.choose(verbosity)
        _log.debug(f"{name} {__version__}, Python {platform.python_version()}: {shlex.join(words)}")
        _look_for(verbs[arguments.verb].needs)
        with printable_output():
            code = run(arguments)
        # If Python flushed at exit, a full disk or a closed pipe would give a traceback.
        sys.stdout.flush()
        return code
    except PilahError as error:
        _log.debug("where the error comes from:", exc_info=True)
        return _fail(name, str(error), error.exit_code)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "edge", "trainer", "converter"):
            raise
        return _fail(
            name,
            f"the package {package!r} is not installed: {install_command(extra)}",
            EXIT_UNAVAILABLE,
        )
    except BrokenPipeError:
        _drop_stdout()  # the reader, for example `head`, has stopped reading
        return EXIT_OK
    except OSError as error:
        if error.errno is None or (error.filename is None and error.errno != errno.ENOSPC):
            raise
        if error.filename is None:
            _drop_stdout()
        return _fail(name, f"{error.filename or 'output'}: {error.strerror}", EXIT_IO)
    except KeyboardInterrupt:
        return _fail(name, "stopped by Ctrl-C", EXIT_INTERRUPTED)


def print_json(answer: Mapping[str, object]) -> None:
    """Writes one JSON object on stdout, as one line, with passwords hidden."""
    write_out(json.dumps(redacted_value(answer), ensure_ascii=False) + "\n")


def count(text: str) -> int:
    """The whole number, 1 or more, in `text`; a type for argparse.

    Raises:
        ValueError: `text` is not a whole number; argparse turns this into its own message.
        argparse.ArgumentTypeError: the number is 0 or less.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {text}")
    return number


def above_zero(text: str) -> float:
    """An argument that is a number above 0, for argparse.

    Raises:
        ValueError, argparse.ArgumentTypeError: it is none.
    """
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0. Received: {text}")
    return value


def _parse(
    name: str, description: str, verbs: Mapping[str, Verb], words: Sequence[str]
) -> tuple[argparse.ArgumentParser, Callable[[argparse.Namespace], int]]:
    if ALONE in verbs:
        module = importlib.import_module(verbs[ALONE].module)
        parser = _Parser(prog=name, description=module.__doc__)
        parser.set_defaults(verb=ALONE)
        parser.add_argument("--version", action="version", version=f"{name} {__version__}")
        module.add_arguments(parser)
        _add_verbosity(parser)
        return parser, module.run
    if words and words[0] in verbs:
        verb = verbs[words[0]]
        module = importlib.import_module(verb.module)
        parser = _Parser(prog=f"{name} {words[0]}", description=module.__doc__)
        parser.add_argument("verb", help=argparse.SUPPRESS)
        module.add_arguments(parser)
        _add_verbosity(parser)
        return parser, module.run
    parser = _Parser(
        prog=name,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="verbs:\n"
        + "\n".join(f"  {word:<10} {verb.summary}" for word, verb in verbs.items())
        + f"\n\n`{name} VERB --help` says more of each; with -v a verb says more, with -q less.",
    )
    parser.add_argument("--version", action="version", version=f"{name} {__version__}")
    parser.add_argument("verb", metavar="VERB", choices=list(verbs), help="one of those below")
    return parser, lambda arguments: 2


def _verb_first(words: Sequence[str]) -> list[str]:
    """`words`, with each -v or -q that comes before the verb moved behind it."""
    before = list(itertools.takewhile(_VERBOSITIES.__contains__, words))
    return [*words[len(before) : len(before) + 1], *before, *words[len(before) + 1 :]]


def _add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Adds -v and -q to `parser` and to the parsers of its verbs."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _add_verbosity(below)
    chosen = parser.add_mutually_exclusive_group()
    for short, long, said in (
        ("-v", "--verbose", "write more on stderr, with the name of the module"),
        ("-q", "--quiet", "write only warnings and errors on stderr"),
    ):
        chosen.add_argument(
            short, long, dest="verbosity", action="store_const", const=_VERBOSITIES[long],
            default=argparse.SUPPRESS, help=said,
        )  # fmt: skip


def _open_missing_streams() -> None:
    """Opens /dev/null for each standard stream that was closed (`>&-`).

    Otherwise the next file to be opened would get the closed stream's number, and the messages of
    this program and its libraries would be written into that file.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            mode = "w" if descriptor else "r"
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8", closefd=False))


def _look_for(packages: Sequence[str]) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(name=package)


def _is_number(shown: str) -> bool:
    try:
        float(shown.strip("'"))
    except ValueError:
        return False
    return True


class _Parser(argparse.ArgumentParser):
    """argparse, with whole flag names only, and its errors in our own form."""

    def __init__(self, **options: object) -> None:
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]
        self._mixing = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parses like argparse, but takes a value that starts with a minus: `--range -1..1`; and
        words that may be left out before, between and behind options: `init --kind belt BUNDLE
        STATION.yaml`. (argparse of Python 3.11 takes such a word for left out at the first
        option.)"""
        words = list(sys.argv[1:] if args is None else args)
        joined: list[str] = []
        for index, word in enumerate(words):
            if word == "--":
                joined += words[index:]
                break
            before = joined[-1] if joined else ""
            if _MINUS.match(word) and before.startswith("--") and "=" not in before:
                joined[-1] = f"{before}={word}"
            else:
                joined.append(word)
        some_left_out = any(one.nargs in ("?", "*") for one in self._get_positional_actions())
        if self._mixing or not some_left_out or "--" in joined:
            return super().parse_known_args(joined, namespace)
        self._mixing = True  # it calls this method for the options, and for the rest
        try:
            return self.parse_known_intermixed_args(joined, namespace)
        finally:
            self._mixing = False

    def error(self, message: str) -> NoReturn:
        found = _NO_NUMBER.fullmatch(message)
        if found is not None:  # argparse names our function in place of saying what is wanted
            wanted = "a whole number" if _is_number(found[2]) else "a number"
            message = f"{found[1]}must be {wanted}. Received: {found[2]}"
        _log.error(f"{self.prog}: error: {message}\n{self.prog} --help says what it takes")
        sys.exit(2)


def _tell_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    write_traceback(error)


def _tell_bug_of_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
        name = failed.thread.name if failed.thread is not None else "?"
        write_traceback(failed.exc_value, first=f"Exception in thread {name}:\n")


def _drop_stdout() -> None:
    """Discards the rest of the output buffer, because writing it at exit would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(name: str, message: str, code: int) -> int:
    _log.error(f"{name}: error: {message}")
    return code
