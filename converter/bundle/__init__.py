"""Writes and signs bundles, and chooses their golden pictures."""
