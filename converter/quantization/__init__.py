"""From a float model to integers."""
