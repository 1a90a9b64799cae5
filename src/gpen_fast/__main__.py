"""`python -m gpen_fast` is the command line."""

from gpen_fast.cli.start import run_program

if __name__ == "__main__":
    run_program()
