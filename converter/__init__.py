"""From a trained model to the bundle that a station runs."""
