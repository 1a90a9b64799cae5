"""Generator backends: one file each."""
