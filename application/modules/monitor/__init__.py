"""Live statistics of the machine."""
