"""`publish` in a station file: one module for each receiver, and one for the outbox."""
