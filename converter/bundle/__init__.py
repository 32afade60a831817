"""Writes and signs bundles."""
