"""What all tests share. Photographs and weights beside the checkout are optional: see `shared`."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from edge.core.terminal.log_lines import LogLines
from tests.bundles import make_bundle
from trainer.tensorflow import choose_environment

_TESTS = Path(__file__).parent
_LONG = ("trainer", "converter")
"""Folders of tests that train and convert."""

SHARED = Path(os.environ.get("PILAH_SHARED", Path(__file__).parents[2] / "shared"))
"""Photographs (`data/`) and pretrained weights (`keras/`) that are no part of the project."""

FOUND = SHARED.is_dir() and any(SHARED.iterdir())
"""An empty folder is that of a disk which is not mounted."""

# How long an example takes, or takes to be made, says how busy the machine is. What is drawn is the
# same each time: nobody who changed something else is stopped by an example that never came before.
settings.register_profile(
    "pilah", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("pilah")
choose_environment()  # for tests that import TensorFlow themselves


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photographs and weights beside the checkout."""
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test counts as a use of a test split of this machine's user, or leaves rows in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILAH_STATE", str(tmp_path_factory.mktemp("state")))
        patch.setenv("RUNTIME_DIRECTORY", str(tmp_path_factory.mktemp("runtime")))
        yield


@pytest.fixture
def log_lines() -> Iterator[LogLines]:
    """What is logged is written on stderr, as within a command."""
    with LogLines() as lines:
        yield lines


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the tiny red-green-blue model; read only, shared by all tests."""
    return make_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A copy of `tiny_bundle` that a test may change."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def pytest_configure() -> None:
    """Signals do what they do in a terminal, for the tests and for the programs they start.

    `nohup`, and a shell that starts something in the background, have a program ignore SIGINT,
    SIGQUIT or SIGHUP, and its children inherit that: a test that stops one would wait for ever.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected lives to the end: the garbage collector has not to look through it.

    Among ten thousand tests and TensorFlow it would find nothing, again and again: a quarter of the
    processor time of the collecting.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before `-m shared` is looked at
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks every test that uses `shared`, and skips it where there is nothing.

    In workers the files that take longest come first, so that none is left over for one worker at
    the end.
    """
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.path.relative_to(_TESTS).parts[0] not in _LONG)
    wanting = [
        item
        for item in items
        if "shared" in getattr(item, "fixturenames", ()) or item.get_closest_marker("shared")
    ]
    for item in wanting:
        item.add_marker(pytest.mark.shared)
        if not FOUND:
            item.add_marker(
                pytest.mark.skip(
                    reason=f"needs the photographs of {SHARED.name}/ beside the checkout "
                    "(or PILAH_SHARED=FOLDER)"
                )
            )


def pytest_report_header() -> str:
    found = f"found at {SHARED}" if FOUND else f"not found ({SHARED})"
    return f"photographs and weights beside the checkout: {found}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # Of the reports: where the tests run in workers, this process has collected none itself.
    told = [report for reports in terminalreporter.stats.values() for report in reports]
    wanting = len(
        {t.nodeid for t in told if isinstance(t, pytest.TestReport) and "shared" in t.keywords}
    )
    if FOUND:
        text = f"photographs beside the checkout found: {wanting} tests used them"
    else:
        text = f"no photographs beside the checkout: {wanting} tests skipped for want of them"
    terminalreporter.write_line(text)
