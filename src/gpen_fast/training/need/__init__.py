"""The training of `--keep-detail`: how much of a restoration a face needs, by frequency."""
