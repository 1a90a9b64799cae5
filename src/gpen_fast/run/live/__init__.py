"""Frames restored as they arrive: the latest one wins, and quality steps down before latency grows."""
