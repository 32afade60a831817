"""Installing bundles on a station: to a newer version, back to an earlier one, and
into the station that runs."""
