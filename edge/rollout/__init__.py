"""Installing bundles on a station: to a newer version, and back to an earlier one."""
