"""Machinery that knows no noun of ours and could be copied to another project unchanged."""
