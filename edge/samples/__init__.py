"""Photographs for training: taken on purpose, or kept of sorted items."""
