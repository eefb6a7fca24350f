"""Hold the same tasks as others would write them, each by the documentation of its framework.

They read the tables that our migrations made. DATABASE_URL names the database, as SQLAlchemy writes it.
"""
