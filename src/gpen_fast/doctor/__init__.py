"""What this machine can do, each thing tried: `examine` gives the findings."""
