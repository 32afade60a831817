"""What the rows of a ledger tell together: the time in each state, stops, and how well it ran."""
