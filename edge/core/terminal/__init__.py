"""Output on a terminal: log lines, progress, and command lines for people to type."""
