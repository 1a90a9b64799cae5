"""`python -m gpen_fast` is the command line."""

from gpen_fast.cli.start import start_program

if __name__ == "__main__":
    start_program()
