"""What this machine can do, each thing tried: `examine.examine` returns the findings."""
