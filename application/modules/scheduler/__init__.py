"""Scheduled jobs, their runs and who fires them."""
