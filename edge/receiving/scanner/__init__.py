"""A hand scanner, which types what it reads as a keyboard does: from its keys to codes."""
