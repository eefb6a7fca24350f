"""Roles and what they let their holders do."""
