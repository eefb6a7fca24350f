"""Measure ourselves and others on the same machine, in the same run."""
