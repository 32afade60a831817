"""Reads codes in a station's pictures. Needs the extra `codes`: import it only where needed."""
