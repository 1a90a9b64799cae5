"""Output formats: one file each, named by its suffix."""
