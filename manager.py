"""Manage Redprint from the command line: `.venv/bin/python manager.py --help` lists the commands."""

from application.cli.group import manager

if __name__ == "__main__":
    manager()
