"""How the embedded landmark network was made: `python -m gpen_fast.training landmarks`."""
