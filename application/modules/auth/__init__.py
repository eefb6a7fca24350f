"""Signing in: tokens and who holds them."""
