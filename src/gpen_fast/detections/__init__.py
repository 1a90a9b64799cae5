"""Faces detected by an earlier run: the file that holds them, the cache that reads it, and its writer."""
