"""The verbs for receiving goods: codes in pictures, a hand scanner."""
