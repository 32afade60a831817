"""The check of a set of labelled pictures for faults before a training."""
