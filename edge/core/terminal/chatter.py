"""A filter for lines that TensorFlow and LiteRT write on stderr and that are of no use to a user.

Their C++ code writes to the file descriptor itself. No setting silences the lines before their
logging starts, nor LiteRT's lines about its delegate. So the output is held back while they load,
and then written without the known useless lines: errors remain visible.
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
    """`text` without the lines that are known to be useless."""
    return "".join(line for line in text.splitlines(keepends=True) if not _CHATTER.match(line))


@contextmanager
def chatter_held_back() -> Iterator[None]:
    """Holds stderr back within the block, and writes it afterwards without the useless lines.

    After an exception all lines are written. The stderr of the whole process is held back, so the
    block should be short, such as the loading of a library or a model.
    """
    with _alone, tempfile.TemporaryFile() as said:
        sys.stderr.flush()
        try:
            terminal = os.dup(2)
        except OSError:  # a service may have no stderr
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
