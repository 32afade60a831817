"""What all three programs stand on, and nothing of a running station."""
