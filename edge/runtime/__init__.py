"""How a station runs: its threads, their heartbeats, signals, systemd and the keyboard."""
