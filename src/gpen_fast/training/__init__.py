"""How the embedded weights were made: `python -m gpen_fast.training`, with the extra `train`."""
