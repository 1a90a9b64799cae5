"""Detectors, one file each, and what they share."""
