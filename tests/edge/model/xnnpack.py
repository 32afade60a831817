"""`python -m tests.edge.model.xnnpack` prints whether XNNPACK runs the tiny model: on or off."""

from __future__ import annotations

from edge.model.interpreter import Interpreter
from tests.bundles import TINY

if __name__ == "__main__":
    print("on" if Interpreter(TINY.read_bytes()).xnnpack else "off")
