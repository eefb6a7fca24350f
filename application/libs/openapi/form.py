"""Write what forms carry: a component for each, an example of it, and how files in it are encoded."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from application.libs.ok import Json
from application.libs.openapi.example import example
from application.libs.openapi.schema import without_null
from application.libs.operation import Operation
from application.libs.upload import media_types
from application.libs.wire_name import wire_name

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORM_PLACES = ("form", "files")

_SCHEMAS = "#/components/schemas/"
_FILE = "application/octet-stream"


class Forms:
    """Add the components of forms to `schemas`; `refs` says under which name each model stands there."""

    def __init__(self, operations: Iterable[Operation], refs: Mapping[Any, Json], schemas: Json) -> None:
        """Write the forms of all operations, and drop what is part of others only."""
        self._refs = refs
        self._schemas = schemas
        self._names: dict[tuple[type[BaseModel], ...], str] = {}
        known = list(operations)
        bodies = {self._name(operation.inputs["body"]) for operation in known if "body" in operation.inputs}
        forms = {models for operation in known if (models := _models(operation))}
        parts = {model: self._form(model) for models in forms for model in models}
        for model in parts:
            if self._name(model) not in bodies:
                del schemas[self._name(model)]
        for models in sorted(forms, key=lambda models: [self._name(model) for model in models]):
            self._names[models] = name = self._free("And".join(self._name(model) for model in models))
            schemas[name] = _merged([parts[model] for model in models])

    def content(self, operation: Operation) -> Json:
        """Return what the operation takes, by media type; nothing where it takes no form."""
        models = _models(operation)
        if not models:
            return {}
        name = self._names[models]
        schema = {"$ref": f"{_SCHEMAS}{name}"}
        content: Json = {"schema": schema, "example": example(schema, self._schemas)}
        files = [field for field, member in self._schemas[name]["properties"].items() if _is_file(member)]
        if files:  # else what is text in JSON is sent as text/plain (OpenAPI 3.1 §4.8.15)
            bounded = _media_types(operation)
            content["encoding"] = {field: {"contentType": bounded.get(field, _FILE)} for field in files}
        media_types = (MULTIPART,) if "files" in operation.inputs else (URLENCODED, MULTIPART)
        return dict.fromkeys(media_types, content)

    def _name(self, model: type[BaseModel]) -> str:
        reference: str = self._refs[model, "validation"]["$ref"]
        return reference.removeprefix(_SCHEMAS)

    def _free(self, name: str) -> str:
        """Return the name, or another where the same model is a body, too, which may hold null."""
        return name if name not in self._schemas else f"{name}Form"

    def _form(self, model: type[BaseModel]) -> Json:
        """Return a model's schema without the nulls that no form can carry."""
        schema = self._schemas[self._name(model)]
        properties = {name: without_null(member) for name, member in schema.get("properties", {}).items()}
        return {**schema, "properties": properties}


def _models(operation: Operation) -> tuple[type[BaseModel], ...]:
    return tuple(operation.inputs[place] for place in FORM_PLACES if place in operation.inputs)


def _media_types(operation: Operation) -> dict[str, str]:
    """Return which media types files may have, by the field's name, where they are bounded."""
    fields = operation.inputs["files"].model_fields.items() if "files" in operation.inputs else ()
    bounded = {wire_name(name, field, "files"): ", ".join(media_types(field)) for name, field in fields}
    return {name: known for name, known in bounded.items() if known}


def _merged(forms: list[Json]) -> Json:
    """Return one object with the fields of all; `allOf` of closed ones would allow nothing."""
    first, *others = forms
    for other in others:
        required = [*first.get("required", ()), *other.get("required", ())]
        first = {**first, "title": f"{first['title']}And{other['title']}"} | {
            "properties": first["properties"] | other["properties"],
            **({"required": required} if required else {}),
        }
        first.pop("description", None)
    return first


def _is_file(member: Json) -> bool:
    """Tell whether a field takes a file, or several."""
    return bool(member.get("items", member).get("format") == "binary")
