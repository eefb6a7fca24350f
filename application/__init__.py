"""Redprint: a layered web backend on Flask."""
