"""How the embedded proposer network was trained: `python -m gpen_fast.training proposer`."""
