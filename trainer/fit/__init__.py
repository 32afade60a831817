"""From prepared pictures to a trained network."""
