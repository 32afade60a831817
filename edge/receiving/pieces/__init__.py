"""A piece at a station: it is seen, its code is read, it is scanned by hand, and counted once."""
