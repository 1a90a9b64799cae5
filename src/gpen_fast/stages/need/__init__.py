"""Need: how much of a restoration each face needs, by frequency, measured from its own pixels."""
