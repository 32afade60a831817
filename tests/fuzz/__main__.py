"""Fuzzes one target by coverage: `python -m tests.fuzz NAME [--runs 1000000] [--seed 0]`.

atheris (libFuzzer) changes the seeds, keeps what reaches new lines, and ends with the first input
that raises another exception than the reader's own, takes over 5 seconds of CPU time or 1 GB more
memory, hangs, or ends the process. That input is left in `build/fuzz/NAME/`, and its path is
printed; `python -m tests.fuzz NAME --again FILE` feeds it once more.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.target import Target, names, target

SECONDS, MEGABYTES = 5, 1024
"""What one input may take: CPU time, so that a busy machine finds nothing."""
_HANGS_AFTER = 60 * SECONDS
"""Seconds of wall time after which libFuzzer ends an input."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz a reader.")
    parser.add_argument("name", choices=names())
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the changes; not 0")
    parser.add_argument("--again", type=Path, metavar="FILE", help="feed this input and end")
    words = parser.parse_args()
    if words.again is not None:
        target(words.name).feed(words.again.read_bytes())
        return 0
    try:
        import atheris
    except ImportError:
        print("atheris is not installed: its wheels are for Linux on x86-64", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["edge", "trainer", "converter"]):
        found = target(words.name)
    left = Path("build/fuzz") / words.name
    left.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        options = _options(found, Path(scratch), left)
        options += [f"-runs={words.runs}", f"-seed={words.seed}"]
        atheris.Setup([sys.argv[0], *options], lambda content: _feed(found, content))
        atheris.Fuzz()  # ends the process
    return 0


def _feed(found: Target, content: bytes) -> None:
    began = time.process_time()
    found.feed(content)
    took = time.process_time() - began
    if took > SECONDS:
        raise TimeoutError(f"This input took {took:.1f} seconds of CPU time; {SECONDS} are allowed")


def _options(found: Target, scratch: Path, left: Path) -> list[str]:
    corpus, dictionary = scratch / "corpus", scratch / "words"
    corpus.mkdir()
    for number, seed in enumerate(found.seeds()):
        (corpus / str(number)).write_bytes(seed)
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in found.words]
    dictionary.write_text("".join(lines))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return [
        str(corpus),
        f"-dict={dictionary}",
        f"-max_len={found.longest}",
        f"-timeout={_HANGS_AFTER}",
        f"-rss_limit_mb={used + MEGABYTES}",
        f"-artifact_prefix={left}/",
        "-verbosity=0" if not sys.stdout.isatty() else "-verbosity=1",
        "-print_final_stats=1",
    ]


if __name__ == "__main__":
    sys.exit(main())
