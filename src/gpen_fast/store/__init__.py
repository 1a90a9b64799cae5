"""Weights on disk: which there are, where they lie, and how they get there. Imports no torch."""
