"""Answers kept under the keys of their callers."""
