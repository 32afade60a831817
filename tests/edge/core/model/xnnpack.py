"""`python -m tests.edge.core.model.xnnpack` says whether XNNPACK runs the tiny model: on or off."""

from __future__ import annotations

from edge.core.model.interpreter import Interpreter
from tests.bundles import TINY

if __name__ == "__main__":
    print("on" if Interpreter(TINY.read_bytes()).xnnpack else "off")
