"""The operator's pages: a process of its own that reads a station's records and shows them.

It touches no pin and no camera. It imports neither NumPy nor OpenCV, so that it stays small: what
needs them to read the station file runs before, and ends (`edge/web/reading.py`).
"""
