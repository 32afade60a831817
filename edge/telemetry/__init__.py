"""Measurements of a station's machine and model: health checks and benchmarks."""
