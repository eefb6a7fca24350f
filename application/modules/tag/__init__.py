"""Tags that order blogs."""
