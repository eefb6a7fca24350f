"""Features: a folder each, with the same files in every one."""
