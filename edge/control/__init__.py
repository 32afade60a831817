"""What is asked of a running station, and its answers: a Unix socket beside its status file."""
