"""Draws items of each class as they look from above, without photographs."""
