"""Intervals, and what scores are measured by."""
