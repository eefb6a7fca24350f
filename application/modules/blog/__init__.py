"""Blogs, drafts and their tags."""
