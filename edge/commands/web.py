"""Serve the operator's pages of a station, for a browser, until Ctrl-C or SIGTERM.

Nobody needs to sign in while the pages are for this machine alone and no account was made. It is a
process of its own, which reads the station's records; the station need not run.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from edge.core.errors import EXIT_OK, UsageError
from edge.core.terminal.speech import write_out

if TYPE_CHECKING:
    from edge.web.plan import WebPlan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    doing = parser.add_mutually_exclusive_group()
    doing.add_argument(
        "--set-password",
        metavar="NAME",
        help="make an account, or give it another password: asked for, or the first line of stdin",
    )
    doing.add_argument("--remove-account", metavar="NAME", help="take an account away")
    doing.add_argument("--accounts", action="store_true", help="say who has an account")
    parser.add_argument(
        "--role",
        choices=("operator", "admin"),
        help="with --set-password: what the person may do (default: as before, or operator)",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.role is not None and arguments.set_password is None:
        raise UsageError("web: --role belongs to --set-password")
    from edge.web.reading import read_plan

    plan = read_plan(arguments.station)
    if arguments.set_password is not None:
        from edge.web.people.accounts import Role, set_password

        role = None if arguments.role is None else Role(arguments.role)
        done = set_password(plan.accounts, arguments.set_password, _password(), role)
        write_out(f"{arguments.set_password} may sign in as {done}: {plan.accounts}\n")
        return EXIT_OK
    if arguments.remove_account is not None:
        from edge.web.people.accounts import remove_account

        remove_account(plan.accounts, arguments.remove_account)
        write_out(f"{arguments.remove_account} may sign in no more, and is signed out\n")
        return EXIT_OK
    if arguments.accounts:
        return _show_accounts(plan.accounts)
    _become_the_pages(plan, getattr(arguments, "verbosity", ""))
    return EXIT_OK


def _become_the_pages(plan: WebPlan, verbosity: str) -> NoReturn:
    """Has this process serve the pages. What reads a station file is left behind: it takes more
    memory than the pages do."""
    memory = os.memfd_create("pilah-web-plan", 0)  # which the program below inherits
    os.write(memory, plan.as_json())
    os.lseek(memory, 0, os.SEEK_SET)
    words = [sys.executable, "-P", "-m", "edge.web.serving", str(memory)]
    chosen = {"verbose": ["-v"], "quiet": ["-q"]}.get(verbosity, [])
    sys.stdout.flush()
    # Else the C library keeps what a password's check takes, and some for each thread.
    thrift = {
        "MALLOC_MMAP_THRESHOLD_": str(2**18),
        "MALLOC_TRIM_THRESHOLD_": str(2**18),
        "MALLOC_ARENA_MAX": "1",
    }
    os.execve(sys.executable, [*words, *chosen], {**os.environ, **thrift})


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("once more: ") != password:
        raise UsageError("the two passwords differ: nothing was changed")
    return password


def _show_accounts(path: Path) -> int:
    from edge.web.people.accounts import Accounts

    listed = Accounts(path).known()
    for name, account in sorted(listed.accounts.items() if listed is not None else ()):
        write_out(f"{account.role:<9} {name}\n")
    if listed is not None and not listed.accounts:
        write_out(
            "nobody has an account, and nobody can sign in: make one with --set-password, or "
            f"remove {path} to open the pages to who works on this machine\n"
        )
    if listed is None:
        write_out("nobody has an account: whoever works on this machine may open the pages\n")
    return EXIT_OK
