"""Generator backends, one file each, and what runs them over crops."""
