"""Ways to train beside each other, on the same splits: which is best, and whether that is sure."""
