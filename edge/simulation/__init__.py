"""What stands in for a real machine; no part of pilah's wheel."""
