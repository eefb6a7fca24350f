"""Files of users: sent, kept under random names, given back to their owner."""
