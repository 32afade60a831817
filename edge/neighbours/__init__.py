"""Other stations on the same machine: what two of them may not share, and who of them runs."""
