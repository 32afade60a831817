"""The verbs of `pilah-converter`, a module each: `add_arguments(parser)` and `run(arguments)`."""
