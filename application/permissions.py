"""List every permission there is, and what each role holds.

A permission reads `<resource>:<action>`; search for one to find every place it guards.
"""

from enum import StrEnum


class Permission(StrEnum):
    """Name what a caller may do, in alphabetical order."""

    AUDIT_VIEW = "audit:view"
    BLOG_WRITE = "blog:write"
    FILE_MANAGE = "file:manage"
    FILE_WRITE = "file:write"
    MESSAGE_MANAGE = "message:manage"
    MONITOR_VIEW = "monitor:view"
    SCHEDULER_MANAGE = "scheduler:manage"
    TAG_CREATE = "tag:create"
    TAG_MANAGE = "tag:manage"
    TASK_MANAGE = "task:manage"
    TASK_RUN = "task:run"
    USER_MANAGE = "user:manage"


class Role(StrEnum):
    """Name the roles a user can have."""

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
