"""The bundles of a station through time."""
