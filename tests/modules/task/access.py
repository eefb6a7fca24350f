"""Who may do what with tasks."""

from tests.contract.access import Feature, Row, World

START = {"name": "demo.count_slowly", "kwargs": {"steps": 1, "pause_seconds": 0}}


def _create(world: World) -> dict[str, str]:
    return {"task_id": world.made("/api/v1/task", START)}


FEATURE = Feature(
    {
        "GET /task/catalogue": Row(401, 200, 200, 200),
        "GET /task": Row(401, 200, 200, 200),
        "POST /task": Row(401, 202, 202, 202, json=START),
        "GET /task/<id:task_id>": Row(401, 404, 200, 200),
        "POST /task/<id:task_id>/retry": Row(401, 404, 409, 409),
        "POST /task/<id:task_id>/cancel": Row(401, 404, 200, 200),
    },
    create=_create,
)
