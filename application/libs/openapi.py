"""Write the API document (OpenAPI 3.1) of a surface from its redprints."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from flask import Flask, Response
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from application.libs.converter import INT32_MAX
from application.libs.declaration import mistake
from application.libs.error import Refusal
from application.libs.ok import Dialect, Json, reason
from application.libs.operation import Operation
from application.libs.redprint import Mounted, Surface, machinery
from application.libs.view import implied_errors

Refs = Mapping[Any, Json]

_REF = "#/components/schemas/{model}"
_RULE_PARAMETER = re.compile(r"<(?:[^<>]*:)?([a-zA-Z_]\w*)>")
_PATH_SCHEMAS: Mapping[str, Json] = {
    "id": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 1, "maximum": INT32_MAX},
    "string": {"type": "string", "minLength": 1},
}
_PLACES = {"query": "query", "headers": "header"}
_FORM_TYPES = {"form": "application/x-www-form-urlencoded", "files": "multipart/form-data"}
_PROBLEM = "Problem"


def document(app: Flask, surface_name: str, *, version: str) -> Json:
    """Return the document of one surface of the application."""
    surface = next(known for known in machinery(app).surfaces if known.name == surface_name)
    mounted = [item for item in machinery(app).mounted if item.surface is surface]
    refs, definitions = models_json_schema(_models(mounted), ref_template=_REF)
    _media_type, failure = surface.dialect.describe_failure()
    schemas = definitions.get("$defs", {})
    if _PROBLEM in schemas:
        raise mistake(surface_name, f"a schema is called {_PROBLEM}, as failures are", "Choose another name")
    schemas[_PROBLEM] = failure
    writer = _Writer(surface.dialect, refs)
    paths: Json = {}
    for item in mounted:
        for rule in app.url_map.iter_rules(item.endpoint):
            path = _RULE_PARAMETER.sub(r"{\1}", rule.rule)
            paths.setdefault(path, {})[item.operation.method.lower()] = writer.operation(item)
    return {
        "openapi": "3.1.0",
        "info": {"title": surface.title, "version": version},
        "servers": [{"url": "/"}],
        "security": _security(surface.dialect),
        "tags": [{"name": name} for name in sorted({item.redprint for item in mounted})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {scheme: {"type": "http", "scheme": scheme} for scheme in surface.dialect.schemes},
        },
    }


def serve(app: Flask, surface: Surface, *, version: str) -> None:
    """Answer `openapi.json` under the surface's prefix; the document is written at the first request."""
    written: list[bytes] = []

    def openapi() -> Response:
        """Give the API document."""
        if not written:
            written.append(msgspec.json.encode(document(app, surface.name, version=version)))
        return Response(written[0], content_type="application/json")

    app.add_url_rule(f"{surface.url_prefix}/openapi.json", f"{surface.name}.openapi", openapi)


def _security(dialect: Dialect) -> list[Json]:
    return [{scheme: []} for scheme in dialect.schemes]


def _models(mounted: Iterable[Mounted]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for item in mounted:
        if "body" in item.operation.inputs:
            models[item.operation.inputs["body"], "validation"] = None
        if item.operation.answer.schema is not None:
            models[item.operation.answer.schema, "serialization"] = None
    return list(models)


class _Writer:
    """Write operations in a dialect; `refs` says under which name each schema stands, for two may share a name."""

    def __init__(self, dialect: Dialect, refs: Refs) -> None:
        self._dialect = dialect
        self._refs = refs

    def operation(self, item: Mounted) -> Json:
        """Return the entry of one operation."""
        operation = item.operation
        entry: Json = {
            "operationId": f"{item.redprint}_{operation.name}",
            "tags": [item.redprint],
            "summary": operation.summary,
            "responses": self._responses(operation),
        }
        if operation.description:
            entry["description"] = operation.description
        parameters = list(_parameters(operation))
        if parameters:
            entry["parameters"] = parameters
        content = self._content(operation)
        if content:
            entry["requestBody"] = {"required": True, "content": content}
        if operation.public:
            entry["security"] = [{}, *_security(self._dialect)]
        if operation.permission:
            entry["x-permission"] = str(operation.permission)
        return entry

    def _content(self, operation: Operation) -> Json | None:
        if "body" in operation.inputs:
            return {"application/json": {"schema": self._refs[operation.inputs["body"], "validation"]}}
        forms = [_inlined_schema(operation.inputs[place]) for place in _FORM_TYPES if place in operation.inputs]
        if not forms:
            return None
        schema = forms[0]
        for other in forms[1:]:  # one object; `allOf` of two closed ones would allow nothing
            schema = schema | {
                "title": f"{schema['title']}And{other['title']}",
                "properties": schema["properties"] | other["properties"],
                "required": [*schema.get("required", ()), *other.get("required", ())],
            }
        return {media_type: {"schema": schema} for place, media_type in _FORM_TYPES.items() if _fits(place, operation)}

    def _responses(self, operation: Operation) -> Json:
        responses: Json = {str(operation.status): self._success(operation)}
        refusals: dict[int, list[type[Refusal]]] = {}
        for error in (*operation.errors, *implied_errors(operation)):
            refusals.setdefault(error.status, []).append(error)
        media_type, _schema = self._dialect.describe_failure()
        for status, errors in sorted(refusals.items()):
            lines = [f"`{error.code}`: {error.title}" for error in dict.fromkeys(errors)]
            responses[str(status)] = {
                "description": "\n".join(lines),
                "content": {media_type: {"schema": {"$ref": _REF.format(model=_PROBLEM)}}},
            }
        return responses

    def _success(self, operation: Operation) -> Json:
        answer = operation.answer
        if answer.schema is None:
            return {"description": reason(operation.status)}
        data = self._refs[answer.schema, "serialization"]
        shape = self._dialect.describe(
            {"type": "array", "items": data} if answer.is_list else data, is_page=answer.is_page
        )
        return {"description": reason(operation.status), "content": {"application/json": {"schema": shape}}}


def _parameters(operation: Operation) -> Iterable[Json]:
    for name, converter in operation.path.items():
        schema = _PATH_SCHEMAS.get(converter, _PATH_SCHEMAS["string"])
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for place, location in _PLACES.items():
        model = operation.inputs.get(place)
        if model is None:
            continue
        described = _inlined_schema(model)
        for name, schema in described.get("properties", {}).items():
            key = name.replace("_", "-") if location == "header" else name
            parameter: Json = {"name": key, "in": location, "schema": schema}
            if name in described.get("required", ()):
                parameter["required"] = True
            if "description" in schema:
                parameter["description"] = schema["description"]
            yield parameter


def _fits(place: str, operation: Operation) -> bool:
    """Tell whether a form may be sent so: with files only as multipart."""
    return place == "files" or "files" not in operation.inputs


def _inlined_schema(model: type[BaseModel]) -> Json:
    described = model.model_json_schema()
    schema: Json = _inlined(
        {key: value for key, value in described.items() if key != "$defs"}, described.get("$defs", {})
    )
    return schema


def _inlined(schema: Any, definitions: Json) -> Any:
    """Return a schema with its references filled in, since parameters and forms share no definitions."""
    if isinstance(schema, list):
        return [_inlined(member, definitions) for member in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found = definitions[schema["$ref"].rsplit("/", 1)[-1]]
        return _inlined(found | {key: value for key, value in schema.items() if key != "$ref"}, definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
