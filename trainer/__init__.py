"""From photographs to a trained Keras model, with proof of how good it is."""
