"""How the embedded landmark network was trained: `python -m gpen_fast.training landmarks`."""
