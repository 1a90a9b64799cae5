"""Files that a report is written to, one module for each format."""
