"""Serve the dashboard: the built page, and the pages that stand without a build."""
