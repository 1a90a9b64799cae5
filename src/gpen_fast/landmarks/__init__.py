"""Faces found once and kept in a file, so that they are never looked for twice."""
