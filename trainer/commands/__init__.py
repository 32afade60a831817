"""The verbs of `pilah-trainer`, a module each: `add_arguments(parser)` and `run(arguments)`."""
