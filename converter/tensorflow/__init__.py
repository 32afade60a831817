"""Runs TensorFlow in a separate process."""
