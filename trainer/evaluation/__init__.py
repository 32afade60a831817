"""How good a model is, beyond one number: disturbed pictures, more pictures, other splits."""
