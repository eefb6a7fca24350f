"""Keys by which machines call the API on behalf of a user."""
