"""Applies a scenario to a target and records a run; the front door."""
