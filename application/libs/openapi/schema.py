"""Walk through JSON schemas (draft 2020-12), as pydantic writes them."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from application.libs.multilingual import Translate
from application.libs.ok import Json

_ONE = ("items", "additionalProperties", "contains", "propertyNames", "not")
_SOME = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs")
_WRAPPED = re.compile(r"(?<=\S)(?<!^)\n(?!\s|[-*|#>]|\d+\. )")


def rewritten(schema: Json, change: Callable[[Json], Json]) -> Json:
    """Return the schema with `change` made to it and to every schema within it, the innermost first.

    A property may well be called `title` or `items`, so a walk must know where schemas stand.
    """
    result = dict(schema)
    for key in _ONE:
        if isinstance(result.get(key), dict):
            result[key] = rewritten(result[key], change)
    for key in _SOME:
        if key in result:
            result[key] = [rewritten(member, change) for member in result[key]]
    for key in _NAMED:
        if key in result:
            result[key] = {name: _member(member, change) for name, member in result[key].items()}
    return change(result)


def _member(schema: Json, change: Callable[[Json], Json]) -> Json:
    """Return a rewritten property without the title that only repeats its name."""
    made = rewritten(schema, change)
    made.pop("title", None)
    return made


def translated(schema: Json, translate: Translate) -> Json:
    """Return the schema with its descriptions in the reader's language."""

    def change(node: Json) -> Json:
        if "description" in node:
            node["description"] = paragraphs(node["description"], translate)
        return node

    return rewritten(schema, change)


def paragraphs(text: str, translate: Translate) -> str:
    """Return a text in the reader's language, paragraph by paragraph, so that a change of one leaves the others."""
    return "\n\n".join(translate(paragraph) for paragraph in unwrapped(text).split("\n\n"))


def unwrapped(text: str) -> str:
    """Return a docstring's text with its lines joined to paragraphs, as Markdown reads them anyway."""
    return _WRAPPED.sub(" ", inspect.cleandoc(text))


def standalone(model: type[BaseModel]) -> Json:
    """Return a model's schema with its references filled in, since parameters and forms share no definitions."""
    described = model.model_json_schema()
    definitions = described.pop("$defs", {})

    def fill(node: Json) -> Json:
        if "$ref" not in node:
            return node
        found = definitions[node.pop("$ref").rsplit("/", 1)[-1]]
        return rewritten(found | node, fill)

    return rewritten(described, fill)


def without_null(schema: Json) -> Json:
    """Return the schema of what may be left out without the null that stands for leaving it out.

    A query, a header and a form hold text; there is no null to send.
    """
    members = [member for member in schema.get("anyOf", ()) if member.get("type") != "null"]
    if len(members) == len(schema.get("anyOf", ())):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key != "default" or value is not None)}
    return {**members[0], **rest} if len(members) == 1 else {**rest, "anyOf": members}


def follow(schema: Json, definitions: Mapping[str, Any]) -> Json:
    """Return the schema behind a reference to a component, with what stands beside the reference."""
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**definitions[schema["$ref"].rsplit("/", 1)[-1]], **beside}
    return schema
