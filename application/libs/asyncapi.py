"""Write the document (AsyncAPI 3.0) of a Socket.IO namespace from its class: what it takes, gives and replies with."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from application.libs.multilingual import Translate, untranslated
from application.libs.ok import Json
from application.libs.openapi.example import example
from application.libs.openapi.schema import paragraphs, translated

Events = Mapping[str, type[BaseModel]]
"""Schemas of what goes with an event, by its name."""

Replies = Mapping[str, Sequence[str]]
"""Names of the events that may answer one, by its name."""

Acknowledgements = Mapping[str, Events]
"""What the client's callback of an event may get, by the event's name: the names of messages, which are no events."""

_SCHEMA = "#/components/schemas/{model}"


class Namespace(Protocol):
    """Be a Socket.IO namespace that says what it exchanges; its docstrings are the texts."""

    takes: Events
    """What clients send; `connect` is what they show when they join."""
    gives: Events
    """What clients get."""
    replies: Replies
    """What of it answers what they send."""
    acknowledges: Acknowledgements
    """What goes to the callback of what they send."""


def document(
    namespace: type[Namespace],
    *,
    address: str,
    title: str,
    version: str,
    description: str,
    translate: Translate = untranslated,
) -> Json:
    """Return the document of a namespace at an address; the server's own paths are Socket.IO's defaults."""
    channel = address.strip("/")
    taken: list[tuple[str, type[BaseModel], JsonSchemaMode]]
    taken = [(name, schema, "validation") for name, schema in namespace.takes.items()]
    given: list[tuple[str, type[BaseModel], JsonSchemaMode]]
    given = [(name, schema, "serialization") for name, schema in namespace.gives.items()]
    given += [
        (name, schema, "serialization") for one in namespace.acknowledges.values() for name, schema in one.items()
    ]
    modes = dict.fromkeys((schema, mode) for _name, schema, mode in taken + given)
    refs, definitions = models_json_schema(list(modes), ref_template=_SCHEMA)
    schemas = {name: translated(schema, translate) for name, schema in sorted(definitions["$defs"].items())}
    messages = {
        name: _message(name, schema, refs[schema, mode], schemas, translate) for name, schema, mode in taken + given
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": paragraphs(description, translate)},
        "defaultContentType": "application/json",
        "servers": {
            "this": {
                "host": "{host}",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "protocolVersion": "5",
                "description": translate(
                    "Socket.IO (EIO=4), over a websocket; a single worker takes long polling too."
                ),
                "variables": {"host": {"default": "localhost:5000", "description": translate("Host and port.")}},
            }
        },
        "channels": {
            channel: {
                "address": address,
                "description": paragraphs(inspect.getdoc(namespace) or "", translate),
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            **{name: _receive(namespace, channel, name, translate) for name in namespace.takes},
            **{f"send_{name}": _send(channel, name) for name in namespace.gives},
        },
        "components": {"schemas": schemas, "messages": messages},
    }


def _message(name: str, schema: type[BaseModel], ref: Json, schemas: Json, translate: Translate) -> Json:
    return {
        "name": name,
        "summary": paragraphs(inspect.getdoc(schema) or "", translate),
        "payload": ref,
        "examples": [{"payload": example(ref, schemas)}],
    }


def _receive(namespace: type[Namespace], channel: str, name: str, translate: Translate) -> Json:
    """Return what clients send; the handler's docstring says what comes of it."""
    handler: Any = getattr(namespace, f"on_{name}")
    operation: Json = {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": paragraphs(inspect.getdoc(handler) or "", translate),
        "messages": [_within(channel, name)],
    }
    answers = (*namespace.replies.get(name, ()), *namespace.acknowledges.get(name, ()))
    replies = [_within(channel, answer) for answer in answers]
    if replies:
        operation["reply"] = {"channel": {"$ref": f"#/channels/{channel}"}, "messages": replies}
    return operation


def _send(channel: str, name: str) -> Json:
    return {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "messages": [_within(channel, name)]}


def _within(channel: str, name: str) -> Json:
    return {"$ref": f"#/channels/{channel}/messages/{name}"}
