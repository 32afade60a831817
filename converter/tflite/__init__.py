"""Reads and writes the content of `.tflite` files: layers, operators and metadata."""
