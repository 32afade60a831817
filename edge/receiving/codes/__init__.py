"""Codes in a station's own pictures. Needs the extra `codes`: import it only where it is wanted."""
