"""Simulations of a real machine; they are not part of pilah's wheel."""
