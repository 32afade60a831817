"""The verbs that command a running station."""
