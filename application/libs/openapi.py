"""Write the API document (OpenAPI 3.1) of a surface from its redprints."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from flask import Flask, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from application.libs.error import PROBLEM_TYPE, Refusal
from application.libs.ok import reason
from application.libs.operation import Operation
from application.libs.redprint import Mounted, Surface, machinery
from application.libs.view import implied_errors

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"
_RULE_PARAMETER = re.compile(r"<(?:[^<>]*:)?([a-zA-Z_]\w*)>")
_PATH_SCHEMAS: Mapping[str, Json] = {
    "id": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 0},
    "string": {"type": "string", "minLength": 1},
}
_PLACES = {"query": "query", "headers": "header"}
_FORM_TYPES = {"form": "application/x-www-form-urlencoded", "files": "multipart/form-data"}

_PROBLEM: Json = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "code", "request", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string", "description": "Stable name of the error; translate by it."},
        "request": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
    },
}
_FIELD_ERROR: Json = {
    "type": "object",
    "required": ["loc", "msg", "type"],
    "properties": {
        "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
        "msg": {"type": "string"},
        "type": {"type": "string"},
    },
}
_PAGE: Json = {
    "type": "object",
    "required": ["limit", "next"],
    "properties": {
        "limit": {"type": "integer"},
        "next": {"type": ["string", "null"], "description": "Give it as `after` for the next page."},
        "total": {"type": "integer", "description": "Only with `count=true`."},
    },
}


def document(app: Flask, surface_name: str, *, version: str) -> Json:
    """Return the document of one surface of the application."""
    surface = next(known for known in machinery(app).surfaces if known.name == surface_name)
    mounted = [item for item in machinery(app).mounted if item.surface is surface]
    _, definitions = models_json_schema(_models(mounted), ref_template=_REF)
    schemas = {"Problem": _PROBLEM, "FieldError": _FIELD_ERROR, "Page": _PAGE} | definitions.get("$defs", {})
    paths: Json = {}
    for item in mounted:
        for rule in app.url_map.iter_rules(item.endpoint):
            path = _RULE_PARAMETER.sub(r"{\1}", rule.rule)
            paths.setdefault(path, {})[item.operation.method.lower()] = _operation(item)
    return {
        "openapi": "3.1.0",
        "info": {"title": surface.title, "version": version},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in sorted({item.redprint for item in mounted})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
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


def _models(mounted: Iterable[Mounted]) -> list[tuple[type[BaseModel], Any]]:
    models: dict[tuple[type[BaseModel], str], None] = {}
    for item in mounted:
        for place in ("body", "form", "files"):
            if place in item.operation.inputs:
                models[item.operation.inputs[place], "validation"] = None
        if item.operation.answer.schema is not None:
            models[item.operation.answer.schema, "serialization"] = None
    return list(models)


def _operation(item: Mounted) -> Json:
    operation = item.operation
    entry: Json = {
        "operationId": f"{item.redprint}_{operation.name}",
        "tags": [item.redprint],
        "summary": operation.summary,
        "responses": _responses(operation),
    }
    if operation.description:
        entry["description"] = operation.description
    parameters = list(_parameters(operation))
    if parameters:
        entry["parameters"] = parameters
    body = _request_body(operation)
    if body:
        entry["requestBody"] = body
    if operation.public:
        entry["security"] = [{}, {"bearer": []}]
    if operation.permission:
        entry["x-permission"] = str(operation.permission)
    return entry


def _parameters(operation: Operation) -> Iterable[Json]:
    for name, converter in operation.path.items():
        schema = _PATH_SCHEMAS.get(converter, _PATH_SCHEMAS["string"])
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for place, location in _PLACES.items():
        model = operation.inputs.get(place)
        if model is None:
            continue
        described = model.model_json_schema()
        for name, schema in described.get("properties", {}).items():
            key = name.replace("_", "-") if location == "header" else name
            parameter: Json = {"name": key, "in": location, "schema": _inlined(schema, described.get("$defs", {}))}
            if name in described.get("required", ()):
                parameter["required"] = True
            if "description" in schema:
                parameter["description"] = schema["description"]
            yield parameter


def _request_body(operation: Operation) -> Json | None:
    if "body" in operation.inputs:
        return {"required": True, "content": {"application/json": {"schema": _ref(operation.inputs["body"])}}}
    forms = [name for name in ("files", "form") if name in operation.inputs]
    if not forms:
        return None
    schemas = [_ref(operation.inputs[name]) for name in forms]
    schema = schemas[0] if len(schemas) == 1 else {"allOf": schemas}
    return {"required": True, "content": {_FORM_TYPES[forms[0]]: {"schema": schema}}}


def _responses(operation: Operation) -> Json:
    responses: Json = {str(operation.status): _success(operation)}
    refusals: dict[int, list[type[Refusal]]] = {}
    for error in (*operation.errors, *implied_errors(operation)):
        refusals.setdefault(error.status, []).append(error)
    for status, errors in sorted(refusals.items()):
        lines = [f"`{error.code}`: {error.title}" for error in dict.fromkeys(errors)]
        responses[str(status)] = {
            "description": "\n".join(lines),
            "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return responses


def _success(operation: Operation) -> Json:
    answer = operation.answer
    if answer.schema is None:
        return {"description": reason(operation.status)}
    data = _ref(answer.schema)
    envelope: Json = {
        "type": "object",
        "required": ["code", "status", "data"],
        "properties": {
            "code": {"const": 0},
            "status": {"const": "succeed"},
            "data": {"type": "array", "items": data} if answer.is_list else data,
        },
    }
    if answer.is_page:
        envelope["required"].append("page")
        envelope["properties"]["page"] = {"$ref": "#/components/schemas/Page"}
    return {
        "description": reason(operation.status),
        "content": {"application/json": {"schema": envelope}},
    }


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": _REF.format(model=model.__name__)}


def _inlined(schema: Json, definitions: Json) -> Json:
    """Return a parameter's schema with its references filled in, since parameters share no definitions."""
    if "$ref" in schema:
        found: Json = definitions[schema["$ref"].rsplit("/", 1)[-1]]
        return found | {key: value for key, value in schema.items() if key != "$ref"}
    if "anyOf" in schema:
        return schema | {"anyOf": [_inlined(member, definitions) for member in schema["anyOf"]]}
    return schema
