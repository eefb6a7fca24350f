"""Codes that are sent to an address, and show who reads there."""
