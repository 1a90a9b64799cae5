"""Runs: from inputs to a plan, through the engine, into files and a report."""
