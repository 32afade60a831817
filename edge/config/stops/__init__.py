"""The section `stops` of a station file."""
