"""Attempts that are counted, so that nobody guesses a secret."""
