"""A simulated camera over a belt: drawn items, or photographs, pass by with known truth."""
