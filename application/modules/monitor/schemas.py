"""What the sockets say and take on the wire."""

from pydantic import ConfigDict, Field

from application.libs.schema import Ident, Schema

_BYTES = 16_777_216_000


class ConnectIn(Schema):
    """Give a token to be let in; where the settings open the sockets, none is needed."""

    token: str | None = Field(
        None,
        max_length=1024,
        description="The token that signing in gave, or a key.",
        examples=["kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM"],
    )
    csrf: str | None = Field(
        None, max_length=100, description="For pages of this site, which are known by a cookie: their token."
    )
    after: int | None = Field(
        None,
        ge=0,
        description="The `last` of the `scheduler_event` seen last: what followed it is sent; without it, what comes.",
        examples=[None],
    )


class ConnectedOut(Schema):
    """Greet a viewer who was let in."""

    data: str = Field(description="A greeting for people.", examples=["连接成功"])


class RefusalOut(Schema):
    """Say why a viewer is not let in; the connection is then closed."""

    message: str = Field(
        description="A sentence for people.", examples=["Too many viewers for this server; try again later"]
    )
    data: dict[str, str] = Field(
        default_factory=dict,
        description="`code` is `unavailable` where there is no room; try again later.",
        examples=[{"code": "unavailable"}],
    )


class MemoryOut(Schema):
    """Show the machine's memory in bytes; Linux says more than other systems, and some of them say other things."""

    model_config = ConfigDict(extra="allow")

    total: int = Field(description="Physical memory.", examples=[_BYTES])
    available: int = Field(description="What programs can get without swapping.", examples=[_BYTES // 2])
    percent: float = Field(ge=0, le=100, description="The part that is not available.", examples=[50.0])
    used: int = Field(description="Held by programs and the kernel.", examples=[_BYTES // 4])
    free: int = Field(description="Not used for anything at all.", examples=[_BYTES // 4])
    active: int = Field(0, description="Touched lately.", examples=[_BYTES // 8])
    inactive: int = Field(0, description="Not touched for a while.", examples=[_BYTES // 8])
    buffers: int = Field(0, description="Cached metadata of file systems.", examples=[_BYTES // 64])
    cached: int = Field(0, description="Cached contents of files.", examples=[_BYTES // 8])
    shared: int = Field(0, description="Used by several processes at once.", examples=[_BYTES // 128])
    slab: int = Field(0, description="The kernel's own data structures.", examples=[_BYTES // 64])


class SampleOut(Schema):
    """Show what the machine is doing now."""

    data: MemoryOut


class WatchTaskIn(Schema):
    """Name a task."""

    id: Ident = Field(description="The task's id.")


class TaskRefusalOut(Schema):
    """Say why a task is not watched."""

    message: str = Field(description="A sentence for people.", examples=["There is no such task."])
    data: dict[str, str] = Field(
        description="`code`: `task_not_found`, `too_many_requests` where a viewer watches 50 tasks already, "
        "`invalid`, `unauthenticated`, `permission_missing`, or what a database that is away makes it.",
        examples=[{"code": "task_not_found"}],
    )
