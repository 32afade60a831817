"""Keeps some of the operator's pages open, as browsers do, until it is killed.

    python -m tests.benchmarks.open_pages ADDRESS [--pages N] [--exporting]

Each page reads the stream of events and is fetched anew when it says that something has changed,
as often as `edge/web/static/pilah.js` asks. Those that show what the camera sees ask for its
picture as often as `edge/web/static/live.js` does. With `--exporting` one export of all items
follows another. A line on stdout tells of each answer: a page's path and its bytes, `picture:PATH`
for a picture on that page, `export`.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import sys
import threading
import time
from urllib.parse import urlsplit

LOOKING = ("/", "/teach", "/teach/region", "/teach/lanes")
"""Pages that show what the camera sees."""
PATHS = (*LOOKING, "/history", "/delivery", "/review", "/health")
PICTURE_SECONDS = 0.35
"""How long after an answer such a page asks for the next picture, as in `live.js`."""
_REST_SECONDS = 0.9
"""How often a page is fetched anew at most, as in the script of the pages."""
_BLOCK = 64 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("address", metavar="ADDRESS", help="http://127.0.0.1:8040/")
    parser.add_argument("--pages", type=int, default=10, metavar="N", help="pages (10)")
    parser.add_argument("--exporting", action="store_true", help="export all items meanwhile")
    arguments = parser.parse_args()
    host = urlsplit(arguments.address).netloc
    paths = list(itertools.islice(itertools.cycle(PATHS), arguments.pages))
    bodies = [threading.Thread(target=_keep_open, args=(host, path), daemon=True) for path in paths]
    bodies += [
        threading.Thread(target=_look, args=(host, path), daemon=True)
        for path in paths
        if path in LOOKING
    ]
    if arguments.exporting:
        bodies.append(threading.Thread(target=_export, args=(host,), daemon=True))
    for body in bodies:
        body.start()
    for body in bodies:
        body.join()
    return 1  # a page that ends has failed


def _keep_open(host: str, path: str) -> None:
    """Reads one page, and what has changed, until the pages end."""
    stream = http.client.HTTPConnection(host, timeout=60)
    stream.request("GET", "/events")
    events = stream.getresponse()
    known, fetched = "", -_REST_SECONDS
    while line := events.readline():
        if not line.startswith(b"data: "):
            continue
        marks = json.dumps(json.loads(line[6:])["marks"])
        if marks != known and time.monotonic() - fetched >= _REST_SECONDS:
            known, fetched = marks, time.monotonic()
            _tell(path, len(_body(host, path)))


def _look(host: str, path: str) -> None:
    """Asks for what the camera sees, on one connection as a browser does, until the pages end."""
    connection = http.client.HTTPConnection(host, timeout=60)
    while True:
        connection.request("GET", "/picture")
        found = json.loads(connection.getresponse().read())
        if found.get("jpeg"):  # none comes before the station runs
            _tell(f"picture:{path}", len(found["jpeg"]))
        time.sleep(PICTURE_SECONDS)


def _export(host: str) -> None:
    while True:
        if size := len(_body(host, "/history/export?from=2000-01-01")):
            _tell("export", size)
        else:
            time.sleep(_REST_SECONDS)  # nothing was sorted yet


def _tell(what: str, size: int) -> None:
    # One write: the threads' lines would else be mixed.
    print(f"{what} {size}\n", end="", flush=True)


def _body(host: str, path: str) -> bytes:
    """What is answered; empty where it is an error, or broken off: the station begins just now."""
    connection = http.client.HTTPConnection(host, timeout=600)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        found = b"".join(iter(lambda: answer.read(_BLOCK), b""))
    except http.client.IncompleteRead:
        return b""
    finally:
        connection.close()
    return found if answer.status == 200 else b""


if __name__ == "__main__":
    sys.exit(main())
