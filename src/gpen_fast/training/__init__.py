"""How the embedded weights were trained: `python -m gpen_fast.training`, with the extra `train`."""
