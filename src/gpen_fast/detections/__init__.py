"""Faces found before a run: their file format and cache."""
