"""Calibration of a trained network: its temperature, accept thresholds and novelty score."""
