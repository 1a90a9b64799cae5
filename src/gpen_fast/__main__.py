"""`python -m gpen_fast` is the command line."""

from gpen_fast.cli.start import main

if __name__ == "__main__":
    main()
