"""Runs: inputs become a plan, the plan goes through the engine, and files and a report come out."""
