"""What TensorFlow and LiteRT say on stderr and nobody can use, kept from the people who sort.

Their C++ parts write to the file descriptor itself, and no setting of theirs silences the lines
that come before their logging begins, nor LiteRT's about its delegate. So what is written while
they load is held back, and all but the known chatter is passed on: an error stays to be seen.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.core.terminal.speech import write_err

_CHATTER = re.compile(
    r"""
      WARNING:\ All\ log\ messages\ before\ absl
    | [IW]\d{4}\ \d\d:\d\d:\d+[.]\d+\ .*                 # absl's information and warnings
    | \d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d[.]\d+:\ [IW]\ .*    # TensorFlow's
    | (E\d{4}|\d{4}-\d\d-\d\d)\ .*(?i:cuda|cufft|cudnn|cublas|computation_placer).*  # no GPU here
    | To\ enable\ the\ following\ instructions:
    | (INFO|VERBOSE):\ .*                                 # LiteRT's
    | WARNING:tensorflow:.*
    | .*\ UserWarning:\ Protobuf\ gencode\ version.*
    | \s+warnings[.]warn\($
    """,
    re.VERBOSE,
)
_alone = threading.RLock()


def without_chatter(text: str) -> str:
    """The lines of `text` that are not known to say nothing."""
    return "".join(line for line in text.splitlines(keepends=True) if not _CHATTER.match(line))


@contextmanager
def chatter_held_back() -> Iterator[None]:
    """What is written to stderr meanwhile comes after the block, without the chatter.

    After an exception all of it comes. The whole process's stderr is held, so the block should be
    as short as the loading of a library or a model.
    """
    with _alone, tempfile.TemporaryFile() as said:
        sys.stderr.flush()
        try:
            terminal = os.dup(2)
        except OSError:  # a service may have none
            yield
            return
        try:
            os.dup2(said.fileno(), 2)
            useful: Callable[[str], str] = str
            try:
                yield
                useful = without_chatter
            finally:
                sys.stderr.flush()
                os.dup2(terminal, 2)
                said.seek(0)
                if text := useful(said.read().decode(errors="replace")):
                    write_err(text)
        finally:
            os.close(terminal)
