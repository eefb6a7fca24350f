"""The second factor: codes that a phone shows, and those for who has lost it."""
