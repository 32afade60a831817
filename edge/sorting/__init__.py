"""Sorting: from the items in view to verdicts, and from verdicts to lanes and ledger rows."""
