"""Weights on disk: the catalog, the folders that hold them, downloads, verification. Imports no torch."""
