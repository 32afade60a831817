"""The verbs of `pilah-edge`, a module each: `add_arguments(parser)` and `run(arguments) -> int`."""
