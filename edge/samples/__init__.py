"""What is taken for training."""
