"""What this machine can do, each thing tried: `examine.examine` gives the findings."""
