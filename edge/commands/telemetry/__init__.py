"""The verbs about a machine and the station on it: health, speed, what it is doing now."""
