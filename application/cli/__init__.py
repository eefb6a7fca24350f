"""Gather the commands of `manager.py`."""
