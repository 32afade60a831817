"""TensorFlow in a process of its own."""
