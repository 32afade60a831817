"""Imports a TFLite classifier that somebody else made: its interface, labels and normalisation."""
