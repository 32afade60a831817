"""The metrics of a station for Prometheus, and whether the station is well, by HTTP."""
