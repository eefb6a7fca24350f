"""Write `.env.example`: every setting, what it is for, and its default.

`python -m application.config.example > .env.example` brings the file up to date.
"""

import sys

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from application.config.setting import Settings

HEAD = """\
# Every setting with its default. Copy this file to .env and change what you need; a variable of the environment wins
# over it. What is empty is decided when the process starts, as its line says.
"""


def example() -> str:
    """Return the text of `.env.example`."""
    fields = Settings.model_fields.items()
    blocks = [f"# {field.description}\n{name.upper()}={_default(field)}\n" for name, field in fields]
    return "\n".join([HEAD, *blocks])


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(example())
