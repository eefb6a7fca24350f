"""Say what a field is called on the wire: as in Python, unless `Field(alias="from")` gives it a name of its own."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def member(name: str, field: FieldInfo) -> str:
    """Return what a field is called in JSON, and by pydantic."""
    return field.alias or name


def members(schema: type[BaseModel]) -> Mapping[str, str]:
    """Return the fields' names in Python by those in JSON."""
    return {member(name, field): name for name, field in schema.model_fields.items()}


def wire_name(name: str, field: FieldInfo, place: str) -> str:
    """Return what a field is called at its place; a header has dashes where Python has none."""
    if place == "headers" and field.alias is None:
        return name.replace("_", "-")
    return member(name, field)


def misnamed(schema: type[BaseModel]) -> Iterator[str]:
    """Yield what is wrong with the names of a schema's own fields, each with its cure."""
    seen: dict[str, str] = {}
    for name, field in schema.model_fields.items():
        if not field.alias == field.validation_alias == field.serialization_alias:
            yield f"{name}: give it one name for both ways, `alias=` alone"
        other = seen.setdefault(member(name, field), name)
        if other != name:
            yield f"{name}: `{other}` is called `{member(name, field)}` too; choose another `alias`"
