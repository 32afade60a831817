"""From a trained network to verdicts one can promise."""
