"""The texts of a first station file: its camera and trigger, and what moves its items."""
