"""List every permission there is, and what the built-in roles hold at first.

A permission reads `<resource>:<action>`; search for one to find every place it guards. Roles are rows that hold some of
them (application/modules/role).
"""

from enum import StrEnum
from typing import Self


class Permission(StrEnum):
    """Name what a caller may do."""

    description: str
    """Say in a sentence what it lets one do; the catalogues have it in other languages."""

    def __new__(cls, value: str, description: str) -> Self:
        """Take the name and the sentence."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    # In alphabetical order.
    AUDIT_VIEW = "audit:view", "Look up who did what to what, when and from where."
    BLOG_WRITE = "blog:write", "Write blogs, and change and delete one's own."
    FILE_MANAGE = "file:manage", "Read and delete everybody's files, not only one's own."
    FILE_WRITE = "file:write", "Keep files, and delete and restore one's own."
    MESSAGE_MANAGE = "message:manage", "See which mails and SMS were sent, and send them again."
    MONITOR_VIEW = "monitor:view", "Watch the live statistics of the server on `/ws`."
    ROLE_MANAGE = "role:manage", "Make roles of permissions that one holds oneself, and change and delete them."
    SCHEDULER_MANAGE = "scheduler:manage", "Add, change, run and delete jobs, and watch what they do."
    TAG_CREATE = "tag:create", "Create tags."
    TAG_MANAGE = "tag:manage", "Rename and delete tags."
    TASK_MANAGE = "task:manage", "See, cancel and try again everybody's tasks, not only one's own."
    TASK_RUN = "task:run", "Start tasks, follow and cancel one's own."
    USER_MANAGE = "user:manage", "Create, change and delete users who may do no more than one may oneself."


PEOPLE_ONLY = frozenset({Permission.ROLE_MANAGE, Permission.USER_MANAGE})
"""What no key for machines can hold: it could make an admin of its owner, or a way in that outlives it."""


class Role(StrEnum):
    """Name the roles that are built in: always there, whatever stands beside them."""

    ADMIN = "admin"
    USER = "user"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.USER: frozenset(
        {
            Permission.BLOG_WRITE,
            Permission.FILE_WRITE,
            Permission.MONITOR_VIEW,
            Permission.TAG_CREATE,
            Permission.TASK_RUN,
        }
    ),
}
"""What the built-in roles hold: admins always everything, users this until an admin changes it.

What is added here later, users hold from the next `manager.py upgrade` on.
"""

ADMINISTRATIVE = frozenset({Permission.ROLE_MANAGE, Permission.SCHEDULER_MANAGE, Permission.USER_MANAGE})
"""What makes an administrator of whoever holds one of them, where these need a second factor: to rule over people, or
over what the server runs."""
