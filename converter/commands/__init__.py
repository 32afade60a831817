"""The verbs of `pilah-converter`: each module has `add_arguments(parser)` and `run(arguments)`."""
