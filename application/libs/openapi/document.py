"""Put a document together: the operations of the surfaces, and the components they refer to."""

import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from application.libs.declaration import mistake
from application.libs.multilingual import Translate, Translators, untranslated
from application.libs.multilingual import serve as serve_document
from application.libs.ok import Json
from application.libs.openapi.form import FORM_PLACES
from application.libs.openapi.operation import Writer
from application.libs.openapi.schema import paragraphs, translated
from application.libs.redprint import Mounted, Surface, machinery

_REF = "#/components/schemas/{model}"
_RULE_PARAMETER = re.compile(r"<(?:[^<>]*:)?([a-zA-Z_]\w*)>")
_SCHEMES = {
    "bearer": "A token, sent as `Authorization: Bearer …`.",
    "basic": "Name and password with every request (RFC 7617).",
}


def document(
    app: Flask, *surface_names: str, version: str, description: str = "", translate: Translate = untranslated
) -> Json:
    """Return one document of one or several surfaces of the application; the first one's title heads it."""
    surfaces = [_surface(app, name) for name in surface_names]
    mounted = [item for surface in surfaces for item in machinery(app).mounted if item.surface is surface]
    refs, definitions = models_json_schema(_models(mounted), ref_template=_REF)
    schemas = _schemas(definitions.get("$defs", {}), surfaces, translate)
    served = [
        (item, _RULE_PARAMETER.sub(r"{\1}", rule.rule))
        for item in mounted
        for rule in app.url_map.iter_rules(item.endpoint)
    ]
    writer = Writer(refs, schemas, served, translate, app.config)
    paths = _paths(served, writer)
    info = {"title": surfaces[0].title, "version": version}
    if description:
        info["description"] = paragraphs(description, translate)
    schemes = sorted({scheme for surface in surfaces for scheme in surface.dialect.schemes})
    components = {
        "schemas": dict(sorted(schemas.items())),
        **writer.components,
        "securitySchemes": {
            scheme: {"type": "http", "scheme": scheme, "description": translate(_SCHEMES[scheme])} for scheme in schemes
        },
    }
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": "/"}],
        "security": [{scheme: []} for scheme in surfaces[0].dialect.schemes],
        "tags": _tags(mounted, translate),
        "paths": dict(sorted(paths.items())),
        "components": {kind: members for kind, members in components.items() if members},
    }


def serve(
    app: Flask,
    *surfaces: Surface,
    version: str,
    description: str = "",
    translators: Translators | None = None,
) -> None:
    """Answer `openapi.json` under the first surface's prefix with the document of all of them."""
    first, names = surfaces[0], [surface.name for surface in surfaces]

    def write(translate: Translate) -> Json:
        return document(app, *names, version=version, description=description, translate=translate)

    rule = f"{first.url_prefix}/openapi.json"
    serve_document(app, rule, f"{first.name}.openapi", write, translators)


def _surface(app: Flask, name: str) -> Surface:
    found: Surface = next(known for known in machinery(app).surfaces if known.name == name)
    return found


def _models(mounted: Iterable[Mounted]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for item in mounted:
        for place in [place for place in ("body", *FORM_PLACES) if place in item.operation.inputs]:
            models[item.operation.inputs[place], "validation"] = None
        if item.operation.answer.schema is not None:
            models[item.operation.answer.schema, "serialization"] = None
    return list(models)


def _schemas(definitions: Mapping[str, Json], surfaces: Sequence[Surface], translate: Translate) -> Json:
    """Return the schemas of the operations and those of the dialects."""
    own = {name: schema for surface in surfaces for name, schema in surface.dialect.schemas.items()}
    for name in own.keys() & definitions.keys():
        what = f"a schema is called {name}, as part of every answer is"
        raise mistake(surfaces[0].name, what, "Choose another name")
    schemas = {**definitions, **own}
    return {name: translated(schema, translate) for name, schema in sorted(schemas.items())}


def _served(app: Flask, mounted: Iterable[Mounted]) -> Iterable[tuple[Mounted, str]]:
    """Yield each operation with each path it is served at."""
    for item in mounted:
        for rule in app.url_map.iter_rules(item.endpoint):
            yield item, _RULE_PARAMETER.sub(r"{\1}", rule.rule)


def _paths(served: Sequence[tuple[Mounted, str]], writer: Writer) -> Json:
    paths: Json = {}
    taken = Counter(_operation_id(item) for item, _path in served)
    for item, path in served:
        name = _operation_id(item)
        unique = name if taken[name] == 1 else f"{item.surface.name}_{name}"
        paths.setdefault(path, {})[item.operation.method.lower()] = writer.operation(item, unique)
    return paths


def _operation_id(item: Mounted) -> str:
    return f"{item.redprint}_{item.operation.name}"


def _tags(mounted: Iterable[Mounted], translate: Translate) -> list[Json]:
    """Return the tags, each described by the docstring of the module that declares its first handler."""
    described: dict[str, str] = {}
    for item in mounted:
        text = inspect.getdoc(sys.modules[item.operation.handler.__module__]) or ""
        described.setdefault(item.tag, text)
    return [
        {"name": name, "description": paragraphs(text, translate)} if text else {"name": name}
        for name, text in sorted(described.items())
    ]
