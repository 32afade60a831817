"""What runs a station: threads, their signs of life, signals, systemd and the keyboard."""
