"""Timing: clock, spans, statistics and reports."""
