"""Interrupts installs and rollbacks, before each of their steps in turn.

    python -m tests.edge.rollout.interrupting rounds 72 [--power]
    python -m tests.edge.rollout.interrupting steps STATION.yaml BUNDLE install|rollback

After each interruption the station must load the old bundle or the new one, whole and signed; once
the command has ended, the new one. A step is whatever opens a file to write, makes, renames, links
or removes something. What interrupts is SIGKILL, and with `--power` also that the disk (one of its
own, which needs root) keeps nothing that was in memory only.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path

from edge.config.reading import read_station
from edge.rollout import install as rollout
from tests.disks import Disk, new_disk
from tests.edge.rollout.rollouts import make_pinned, make_signed

_STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.chmod"}
_OLD, _NEW = "1.9", "2"


def _interrupt_at(step: int, interrupt: Callable[[], None]) -> Callable[[], None]:
    """Has this process call `interrupt` before a step, unless what it returns is called first.

    To be called when the work is done: a process that measures coverage writes files at its end.
    """
    left: int | None = step

    def see(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if left is None:  # the interruption takes steps itself
            return
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        opens = event == "open" and isinstance(arguments[2], int) and arguments[2] & writes
        if event in _STEPS or opens:
            left -= 1
            if left == 0:
                left = None
                interrupt()

    def no_more() -> None:
        nonlocal left
        left = None

    sys.addaudithook(see)
    return no_more


def interrupted(
    station: Path, work: Callable[[], object], disk: Disk | None = None
) -> Iterator[tuple[int, str]]:
    """Does `work` again and again, each time interrupted one step later, until it comes to its end.

    Args:
        disk: what the station lies on and loses its power; None: the process is killed.

    Yields:
        How the process ended (-9: it was interrupted), and what the station loads after it.
    """

    def interrupt() -> None:
        if disk is not None:
            disk.fail()
        os.kill(os.getpid(), signal.SIGKILL)

    for step in count(1):
        child = os.fork()
        if child == 0:
            no_more = _interrupt_at(step, interrupt)
            work()
            no_more()
            if disk is not None:
                disk.fail()  # what was told to be done must be on the disk
            os._exit(0)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if disk is not None:
            disk.mend()
        yield ended, read_station(station).bundle.title
        if ended != -signal.SIGKILL:
            return


def work_of(verb: str, station: Path, bundle: Path) -> Callable[[], object]:
    """What `verb` does, without a runtime: what the model answers is no matter here."""
    rollout._prove = lambda bundle: "none"
    if verb == "install":
        return lambda: rollout.install(bundle, station)
    return lambda: rollout.roll_back(station)


def interrupt_and_compare(folder: Path, interruptions: int, disk: Disk | None) -> int:
    """How many interruptions there were, at least so many, in whole installs and rollbacks.

    Raises:
        AssertionError: after one of them the station loads neither the old nor the new bundle, or
            after the end of a command not the new one.
    """
    bundles = [make_signed(folder, version) for version in (_OLD, _NEW)]
    done = 0
    for number in count():
        station = make_pinned((disk.folder if disk else folder) / f"station {number}")
        rollout.install(bundles[0], station)
        if disk is not None:
            disk.sync()  # the station file
        for verb, before, after in (("install", _OLD, _NEW), ("rollback", _NEW, _OLD)):
            found = list(interrupted(station, work_of(verb, station, bundles[1]), disk))
            assert [title for _, title in found[:-1]] == [f"tiny {before}"] * (len(found) - 1)
            assert found[-1] == (0, f"tiny {after}"), found[-1]
            done += len(found) - 1
        if done >= interruptions:
            return done
    raise AssertionError("unreachable")


def main() -> None:
    """Prints how many interruptions did no harm, or a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    rounds = commands.add_parser("rounds")
    rounds.add_argument("count", type=int)
    rounds.add_argument("--power", action="store_true")
    steps = commands.add_parser("steps")
    steps.add_argument("station", type=Path)
    steps.add_argument("bundle", type=Path)
    steps.add_argument("verb", choices=["install", "rollback"])
    given = parser.parse_args()
    if given.command == "steps":
        work = work_of(given.verb, given.station, given.bundle)
        for ended, title in interrupted(given.station, work):
            print(ended, title, flush=True)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with new_disk(folder) if given.power else nullcontext() as disk:
            done = interrupt_and_compare(folder, given.count, disk)
    how = "power cuts" if given.power else "kills"
    print(f"{done} {how} in installs and rollbacks: each left the one bundle or the other, whole")


if __name__ == "__main__":
    main()
