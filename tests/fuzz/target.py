"""What is fuzzed: one reader of bytes from outside."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """A reader, and contents that are changed to fool it.

    Attributes:
        feed: gives the content to the reader; returns whether it was read or refused by the error
            that is meant for it, and lets every other exception through: that is what is looked
            for.
        seeds: good and odd contents to begin with; a few hundred bytes each are best.
        words: what the format is made of, such as names of chunks, to be thrown in.
        longest: bytes that an input may have.
    """

    feed: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: tuple[bytes, ...] = ()
    longest: int = 4096


def names() -> list[str]:
    """The names of all targets."""
    others = {"target", "__main__"}
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(
        m.name for m in modules if not m.name.startswith("test_") and m.name not in others
    )


def target(name: str) -> Target:
    """The target of that name."""
    found = import_module(f"tests.fuzz.{name}").TARGET
    assert isinstance(found, Target)
    return found


if __name__ == "__main__":  # for the Makefile
    print(*names())
