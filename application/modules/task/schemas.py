"""What tasks look like on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from application.libs.filter import After, AtOrAfter, AtOrBefore, Before, Equals, OneOf
from application.libs.schema import ONE_LINE, Ident, PageQuery, Schema, UtcTime

TaskId = Annotated[str, Field(description="The task's id.")]
TaskName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class State(StrEnum):
    """Name what a task can be."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


StateOut = Annotated[str, Field(json_schema_extra={"enum": [state.value for state in State]})]


class TaskIn(Schema):
    """Name a task and what it is to be called with."""

    name: TaskName = Field(description="As the catalogue has it.", examples=["demo.count_slowly"])
    kwargs: dict[Annotated[str, Field(max_length=100)], Any] = Field(
        default_factory=dict,
        max_length=100,
        description="Its arguments by name, as `parameters` in the catalogue describes them.",
        examples=[{"steps": 20, "pause_seconds": 0.5}],
    )
    priority: int | None = Field(
        None,
        ge=0,
        le=9,
        description="9 goes first, 0 last; without it, as the catalogue, and above that only for who manages tasks.",
    )
    eta: UtcTime | None = Field(None, description="When it may begin; without it, at once.", examples=[None])
    expires_at: UtcTime | None = Field(None, description="When it is not begun any more.", examples=[None])
    unique_key: Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=ONE_LINE)] | None = Field(
        None, description="One's tasks have a key once: asked for again, it is that one.", examples=[None]
    )


class TaskErrorOut(Schema):
    """Show what a task raised."""

    type: str = Field(examples=["ValueError"])
    message: str = Field(examples=["no such file"])
    traceback: str | None = Field(examples=[None])


class TaskOut(Schema):
    """Show how far a task is: ask again until `finished_at` is there, or watch it on `/ws`."""

    id: Ident
    name: str = Field(examples=["demo.count_slowly"])
    queue: str = Field(examples=["default"])
    priority: int = Field(examples=[4])
    state: StateOut = Field(examples=["running"])
    current: int = Field(description="How many steps are done.", examples=[7])
    total: int = Field(description="Of how many; 0 where that is not known.", examples=[20])
    status: str = Field(description="How far it is, as a sentence.", examples=["Step 8 of 20"])
    result: Any = Field(description="What it returned.", examples=[None])
    error: TaskErrorOut | None = Field(description="What it raised; for who manages tasks.", examples=[None])
    attempt: int = Field(description="How often it was begun.", examples=[1])
    failures: int = Field(description="How often it raised something.", examples=[0])
    losses: int = Field(description="How often its process died.", examples=[0])
    unique_key: str | None = Field(examples=[None])
    host: str | None = Field(description="Where it was begun last.", examples=["web-1"])
    process: int | None = Field(examples=[4711])
    created_by: Ident | None = Field(description="Whose it is.")
    created_at: datetime
    started_at: datetime | None = Field(description="When it was begun last.")
    finished_at: datetime | None
    due_at: datetime | None = Field(description="When what waits is looked at next.")
    expires_at: datetime | None


class TaskCatalogueOut(Schema):
    """Show what may be started."""

    name: str = Field(examples=["demo.count_slowly"])
    summary: str = Field(examples=["Count up to a number, with a pause before each step, and return it."])
    queue: str = Field(examples=["default"])
    priority: int = Field(examples=[4])
    parameters: dict[str, Any] = Field(description="A JSON Schema of `kwargs`.", examples=[{"type": "object"}])


class TaskQuery(PageQuery):
    """Choose tasks."""

    sort: str = Field("-created_at", max_length=50, description="A minus in front reverses the order.")
    name: TaskName | None = Field(None, description="Only tasks of this name.", examples=["demo.count_slowly"])
    name__in: OneOf[TaskName] = None
    state: State | None = Field(None, description="Only tasks that are so.", examples=["running"])
    state__in: OneOf[State] = None
    queue: Equals[Annotated[str, Field(max_length=50, examples=["default"])]] = None
    created_by: Ident | None = Field(None, description="Only tasks of this user; for who manages tasks.")
    created_at__gt: After = None
    created_at__gte: AtOrAfter = None
    created_at__lt: Before = None
    created_at__lte: AtOrBefore = None
