"""What earlier runs made, and with which settings: `.gpen-fast/journal.jsonl`. Imports no torch."""
