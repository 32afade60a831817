"""Serves the pages until a signal ends it. It is started by `pilah-edge web`."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from edge.core.errors import EXIT_OK, AccountsError, PagesUnavailableError
from edge.runtime.service import Notifier
from edge.web.guard import is_loopback
from edge.web.plan import WebPlan

_log = logging.getLogger(__name__)

_MOST_AT_ONCE = 120
"""Connections and requests at the same time; more are told to come again."""
_THREADS = 8
"""Requests that are answered at the same time; a Raspberry Pi has four processors."""
_END_SECONDS = 2.0
_ALIVE_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", type=int, help="the open file with the plan")


def run(arguments: argparse.Namespace) -> int:
    with os.fdopen(arguments.plan, "rb") as file:
        plan = WebPlan.from_json(file.read())
    run_pages(plan)
    return EXIT_OK


def run_pages(plan: WebPlan) -> None:
    """Serves the pages of a station until a signal ends it, if they may be served.

    Raises:
        AccountsError, PagesUnavailableError: see `check_accounts` and `serve`.
    """
    check_accounts(plan)
    serve(plan)


def check_accounts(plan: WebPlan) -> None:
    """Passes where the pages are for this machine alone, or somebody can sign in.

    Raises:
        AccountsError: they would be open to whoever reaches this machine, or the file of accounts
            cannot be used.
    """
    from edge.web.people.accounts import Accounts

    listed = Accounts(plan.accounts).known()
    if not is_loopback(plan.host) and (listed is None or not listed.accounts):
        raise AccountsError(
            f"the pages would be open to everyone who reaches {plan.host}: make an account with "
            "`pilah-edge web STATION.yaml --set-password NAME`, or listen at 127.0.0.1"
        )


def serve(plan: WebPlan) -> None:
    """Serves the pages of a station.

    Raises:
        PagesUnavailableError: the address is taken or not this machine's, or the certificate is
            wrong.
    """
    import uvicorn

    from edge.web.app import make_app
    from edge.web.connections import Listener, PatientProtocol
    from edge.web.site import Site

    class Server(uvicorn.Server):
        """uvicorn's, which ends as other programs of pilah do: the signal is not raised again."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.handle_exit, number, None)
            yield

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            site.live.close()  # else the end would wait for pages that are open
            super().handle_exit(sig, frame)

    site = Site(plan)
    config = uvicorn.Config(
        make_app(site), log_config=None, access_log=False, server_header=False,
        proxy_headers=False, lifespan="off", ws="none", http=PatientProtocol, loop="asyncio",
        limit_concurrency=_MOST_AT_ONCE, h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=int(_END_SECONDS),
        ssl_certfile=plan.certificate, ssl_keyfile=plan.key,
    )  # fmt: skip
    try:
        config.load()
    except OSError as error:  # the ssl module names no file
        raise PagesUnavailableError(
            f"cannot use the certificate {plan.certificate} with its key: {error}"
        ) from error
    listening = Listener(_listen(plan))
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.WARNING)
    if not is_loopback(plan.host) and plan.certificate is None:
        _log.warning(
            "warning    passwords are sent as they are: name a certificate in the station file, or "
            "reach the pages through a tunnel"
        )
    _log.info(f"pages      {plan.address}")
    with listening:
        asyncio.run(_until_ended(Server(config), listening))


async def _until_ended(server, listening: socket.socket) -> None:  # type: ignore[no-untyped-def]
    import anyio.to_thread

    anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
    notifier = Notifier()
    notifier.ready("serving the pages")
    feeding = asyncio.create_task(_feed(notifier))
    try:
        await server.serve(sockets=[listening])
    finally:
        feeding.cancel()
        notifier.stopping()


async def _feed(notifier: Notifier) -> None:
    while True:
        notifier.alive()
        await asyncio.sleep(_ALIVE_SECONDS)


def _who_listens(plan: WebPlan) -> str:
    """Who has the port of the pages, as the begin of a sentence."""
    from edge.neighbours.running import claimants  # for this message alone

    found = claimants(f"the port {plan.port}", besides=plan.ledger)
    return f"a program of the station {found[0].title}" if found else "another program"


def _listen(plan: WebPlan) -> socket.socket:
    try:
        family = socket.getaddrinfo(plan.host, plan.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((plan.host, plan.port), family=family, backlog=64)
    except OSError as error:
        advice = {
            errno.EADDRINUSE: f"{_who_listens(plan)} listens there: end it, or name another port",
            errno.EADDRNOTAVAIL: "this machine does not have that address",
            errno.EACCES: "this user may not use that port: take one above 1023",
        }.get(error.errno or 0, error.strerror or str(error))
        raise PagesUnavailableError(
            f"cannot serve the pages at {plan.host}:{plan.port}: {advice}"
        ) from error


def main() -> int:
    """Runs it as `pilah-edge`."""
    from edge.core.command_line import ALONE, Verb, run_program

    verb = Verb("serve the pages", __name__ if __name__ != "__main__" else "edge.web.serving")
    return run_program("pilah-edge", "", {ALONE: verb}, extra="edge,web")


if __name__ == "__main__":
    raise SystemExit(main())
