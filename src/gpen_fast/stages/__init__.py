"""One module or folder a stage. A stage imports no other stage and does not know that it is timed."""
