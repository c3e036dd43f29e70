"""Detectors: people in photos."""
