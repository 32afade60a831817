"""Who uses the pages: accounts, sessions, and how often somebody may guess a password."""
