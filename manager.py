"""Manage Redprint from the command line: `.venv/bin/python manager.py --help` lists the commands."""

import sys

from application.cli import failing
from application.libs.supervisor import bind_child

if __name__ == "__main__":  # a process of a pool imports this file, too, with the arguments of its own parent
    bind_child(sys.argv)  # before the application is loaded, which takes seconds

try:
    from application.cli.group import manager
except Exception as error:  # whatever a file that is being edited may raise
    failing.end(error)

if __name__ == "__main__":
    manager()
