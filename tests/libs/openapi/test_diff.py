"""A table of changes to one small document, each with its verdict and its line."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from application.libs.openapi.diff import Change, NotADocumentError, check_document, compare_documents

Json = dict[str, Any]

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
LIST, ONE = "/blog", "/blog/{blog_id}"
REMOVED = object()
DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "security": [{"bearer": []}],
    "paths": {
        LIST: {
            "parameters": [{"name": "trace", "in": "header", "schema": {"type": "string"}}],
            "get": {
                "operationId": "blog_index",
                "security": [{}, {"bearer": []}],
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}],
                "responses": {
                    "200": {
                        "description": "OK",
                        "headers": {"Link": {"schema": {"type": "string"}, "required": True}},
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Blog"}}
                            },
                            "text/csv": {"schema": {"type": "string"}},
                        },
                    },
                },
            },
            "post": {
                "operationId": "blog_create",
                "x-permission": "blog:write",
                "requestBody": {"$ref": "#/components/requestBodies/Blog"},
                "responses": {"201": {"description": "Created"}, "409": {"description": "`taken`: A.\n`gone`: B."}},
            },
        },
        ONE: {
            "delete": {
                "operationId": "blog_delete",
                "parameters": [{"name": "blog_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": "No Content"}},
            }
        },
    },
    "components": {
        "schemas": {
            "Blog": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "maxLength": 200},
                    "state": {"enum": ["draft", "published"]},
                },
                "required": ["title"],
            }
        },
        "requestBodies": {
            "Blog": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Blog"}}},
                "required": True,
            }
        },
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "A token"}},
    },
}

GET = ("paths", LIST, "get")
POST = ("paths", LIST, "post")
DELETE = ("paths", ONE, "delete")
OK = (*GET, "responses", "200")
BLOG = ("components", "schemas", "Blog")
BODY = ("components", "requestBodies", "Blog")
LIMIT = (*GET, "parameters", 0)
QUERY: Json = {"name": "q", "in": "query", "schema": {"type": "string"}}
HEADER: Json = {"name": "Retry-After", "schema": {"type": "integer"}}

TABLE: dict[str, tuple[tuple[Any, ...], Any, list[str]]] = {
    # where, what to put there, the lines
    "path removed": (("paths", ONE), REMOVED, ["breaking  DELETE /blog/{blog_id}  removed"]),
    "operation removed": (GET, REMOVED, ["breaking  GET /blog  removed"]),
    "operation added": ((*GET[:2], "patch"), {"responses": {}}, ["ok        PATCH /blog  added"]),
    "operation renamed": ((*GET, "operationId"), "blogs", ["breaking  GET /blog  operationId: blog_index → blogs"]),
    "operation deprecated": ((*GET, "deprecated"), True, ["ok        GET /blog  deprecated"]),
    "callback added": (
        (*POST, "callbacks"),
        {"a": {}},
        ["breaking  POST /blog  callbacks: changed, and not understood here"],
    ),
    "text": ((*GET, "summary"), "Other words", []),
    "version": (("info", "version"), "2", []),
    "query parameter removed": ((*GET, "parameters"), [], ["breaking  GET /blog  query limit: removed"]),
    "parameter required": ((*LIMIT, "required"), True, ["breaking  GET /blog  query limit: now required"]),
    "parameter bound lowered": (
        (*LIMIT, "schema", "maximum"),
        50,
        ["breaking  GET /blog  query limit: maximum 100 → 50"],
    ),
    "parameter bound raised": (
        (*LIMIT, "schema", "maximum"),
        500,
        ["ok        GET /blog  query limit: maximum 100 → 500"],
    ),
    "parameter's style": ((*LIMIT, "explode"), False, ["breaking  GET /blog  query limit: explode None → False"]),
    "optional parameter added": (
        (*DELETE, "parameters", 1),
        QUERY,
        ["ok        DELETE /blog/{blog_id}  query q: added"],
    ),
    "required parameter added": (
        (*DELETE, "parameters", 1),
        QUERY | {"required": True},
        ["breaking  DELETE /blog/{blog_id}  query q: added, and required"],
    ),
    "parameter moved": (
        (*LIMIT, "in"),
        "header",
        ["breaking  GET /blog  query limit: removed", "ok        GET /blog  header limit: added"],
    ),
    "header in capitals": (("paths", LIST, "parameters", 0, "name"), "TRACE", []),
    "parameter of the path item removed": (
        ("paths", LIST, "parameters"),
        [],
        ["breaking  GET /blog  header trace: removed", "breaking  POST /blog  header trace: removed"],
    ),
    "body removed": ((*POST, "requestBody"), REMOVED, ["breaking  POST /blog  request body: removed"]),
    "body added": (
        (*DELETE, "requestBody"),
        {"content": {}},
        ["ok        DELETE /blog/{blog_id}  request body: added"],
    ),
    "required body added": (
        (*DELETE, "requestBody"),
        {"content": {}, "required": True},
        ["breaking  DELETE /blog/{blog_id}  request body: added, and required"],
    ),
    "body optional": ((*BODY, "required"), False, ["ok        POST /blog  request body: no longer required"]),
    "body's media type removed": (
        (*BODY, "content"),
        {"text/plain": {}},
        [
            "breaking  POST /blog  request body: application/json removed",
            "ok        POST /blog  request body: text/plain added",
        ],
    ),
    "field removed": (
        (*BLOG, "properties", "state"),
        REMOVED,
        [
            "breaking  GET /blog  response 200 (application/json): [].state: removed",
            "breaking  POST /blog  request body: state: removed",
        ],
    ),
    "field required": (
        (*BLOG, "required"),
        ["title", "state"],
        [
            "ok        GET /blog  response 200 (application/json): [].state: now required",
            "breaking  POST /blog  request body: state: now required",
        ],
    ),
    "field no longer required": (
        (*BLOG, "required"),
        [],
        [
            "breaking  GET /blog  response 200 (application/json): [].title: no longer required",
            "ok        POST /blog  request body: title: no longer required",
        ],
    ),
    "enumeration widened": (
        (*BLOG, "properties", "state", "enum"),
        ["draft", "published", "hidden"],
        [
            "breaking  GET /blog  response 200 (application/json): [].state: may now be hidden",
            "ok        POST /blog  request body: state: may now be hidden",
        ],
    ),
    "null": (
        (*BLOG, "properties", "title", "type"),
        ["string", "null"],
        [
            "breaking  GET /blog  response 200 (application/json): [].title: may now be null",
            "ok        POST /blog  request body: title: may now be null",
        ],
    ),
    "status removed": ((*POST, "responses", "409"), REMOVED, ["breaking  POST /blog  response 409: removed"]),
    "status added": ((*POST, "responses", "404"), {}, ["ok        POST /blog  response 404: added"]),
    "error replaced": (
        (*POST, "responses", "409", "description"),
        "- `taken`: Other words.\n- `stale`: C.",
        [
            "breaking  POST /blog  response 409: error gone removed",
            "ok        POST /blog  response 409: error stale added",
        ],
    ),
    "answer's media type removed": (
        (*OK, "content", "text/csv"),
        REMOVED,
        ["breaking  GET /blog  response 200: text/csv removed"],
    ),
    "answer's media type added": (
        (*OK, "content", "text/xml"),
        {},
        ["ok        GET /blog  response 200: text/xml added"],
    ),
    "header removed": ((*OK, "headers", "Link"), REMOVED, ["breaking  GET /blog  response 200 header Link: removed"]),
    "header added": ((*OK, "headers", "ETag"), HEADER, ["ok        GET /blog  response 200 header ETag: added"]),
    "header not always": (
        (*OK, "headers", "Link", "required"),
        False,
        ["breaking  GET /blog  response 200 header Link: no longer required"],
    ),
    "header's type": (
        (*OK, "headers", "Link", "schema", "type"),
        "integer",
        [
            "breaking  GET /blog  response 200 header Link: may now be an integer",
            "ok        GET /blog  response 200 header Link: may no longer be a string",
        ],
    ),
    "closed to strangers": (
        (*GET, "security"),
        REMOVED,
        ["breaking  GET /blog  security: a caller must now sign in"],
    ),
    "open to strangers": ((*POST, "security"), [], ["ok        POST /blog  security: now open"]),
    "another way to sign in": (
        (*POST, "security"),
        [{"bearer": []}, {"basic": []}],
        ["ok        POST /blog  security: basic suffices now, too"],
    ),
    "a scope more": (
        (*POST, "security"),
        [{"bearer": ["all"]}],
        ["breaking  POST /blog  security: bearer no longer suffices"],
    ),
    "other permission": (
        (*POST, "x-permission"),
        "blog:manage",
        ["breaking  POST /blog  permission: blog:write → blog:manage"],
    ),
    "no permission": ((*POST, "x-permission"), REMOVED, ["ok        POST /blog  permission: blog:write → none"]),
    "scheme changed": (
        ("components", "securitySchemes", "bearer", "scheme"),
        "digest",
        ["breaking  document  security scheme: bearer changed"],
    ),
    "scheme's text": (("components", "securitySchemes", "bearer", "description"), "Other words", []),
    "scheme added": (
        ("components", "securitySchemes", "basic"),
        {"type": "http"},
        ["ok        document  security scheme: basic added"],
    ),
    "server": (("servers",), [{"url": "/v9"}], ["breaking  document  servers: / removed, or changed"]),
    "server added": (("servers",), [{"url": "/", "description": "Here"}, {"url": "/v9"}], []),
    "server's variables": (
        ("servers",),
        [{"url": "/", "variables": {"port": {"default": "80"}}}],
        ["breaking  document  servers: / removed, or changed"],
    ),
    "webhooks": (("webhooks",), {"a": {}}, ["breaking  document  webhooks: changed, and not understood here"]),
    "extension": ((*GET, "x-order"), 1, []),
    "servers of the path item": (
        ("paths", ONE, "servers"),
        [{"url": "/v9"}],
        ["breaking  DELETE /blog/{blog_id}  servers: changed, and not understood here"],
    ),
    "unknown member of the path item": (
        ("paths", ONE, "new"),
        1,
        ["breaking  DELETE /blog/{blog_id}  new: changed, and not understood here"],
    ),
    "parameter written as JSON": (
        LIMIT,
        {"name": "limit", "in": "query", "content": {"application/json": {"schema": {"type": "integer"}}}},
        ["breaking  GET /blog  query limit: schema → content"],
    ),
    "unknown member of a parameter": (
        (*LIMIT, "new"),
        1,
        ["breaking  GET /blog  query limit: new: changed, and not understood here"],
    ),
    "parts of a body encoded": (
        (*BODY, "content", "application/json", "encoding"),
        {"title": {"contentType": "text/plain"}},
        ["breaking  POST /blog  request body: encoding: changed, and not understood here"],
    ),
    "unknown member of a body": (
        (*BODY, "new"),
        1,
        ["breaking  POST /blog  request body: new: changed, and not understood here"],
    ),
    "links": (
        (*OK, "links"),
        {"show": {"operationId": "blog_show"}},
        ["breaking  GET /blog  response 200: links: changed, and not understood here"],
    ),
    "header written as JSON": (
        (*OK, "headers", "Link"),
        {"required": True, "content": {"application/json": {"schema": {"type": "string"}}}},
        ["breaking  GET /blog  response 200 header Link: schema → content"],
    ),
    "header's style": (
        (*OK, "headers", "Link", "explode"),
        True,
        ["breaking  GET /blog  response 200 header Link: explode None → True"],
    ),
}


def changed(where: tuple[Any, ...], value: Any) -> Json:
    document = deepcopy(DOCUMENT)
    node: Any = document
    for name in where[:-1]:
        node = node[name]
    if value is REMOVED:
        del node[where[-1]]
    elif isinstance(node, list) and where[-1] == len(node):
        node.append(value)
    else:
        node[where[-1]] = value
    return document


def lines(old: Json, new: Json) -> list[str]:
    return [str(change) for change in compare_documents(old, new)]


class TestCompareDocuments:
    @pytest.mark.parametrize(("where", "value", "expected"), TABLE.values(), ids=TABLE)
    def test_judges_every_change(self, where: tuple[Any, ...], value: Any, expected: list[str]) -> None:
        found = lines(DOCUMENT, changed(where, value))
        assert sorted(found) == sorted(expected)

    def test_does_not_care_for_the_name_of_a_path_parameter(self) -> None:
        renamed = json.loads(json.dumps(DOCUMENT).replace("blog_id", "id"))
        assert compare_documents(DOCUMENT, renamed) == []

    def test_puts_what_breaks_first(self) -> None:
        found = compare_documents(DOCUMENT, changed((*LIMIT, "in"), "header"))
        assert [change.breaking for change in found] == [True, False]

    def test_finds_nothing_in_a_document_and_itself(self) -> None:
        committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
        assert compare_documents(committed, deepcopy(committed)) == []

    def test_notices_when_any_operation_of_ours_is_gone(self) -> None:
        committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
        for path, item in committed["paths"].items():
            for method in item:
                whole = {**committed, "paths": {path: item}}  # the others would only be compared with themselves
                less = {**committed, "paths": {path: {name: one for name, one in item.items() if name != method}}}
                assert compare_documents(whole, less) == [Change(True, f"{method.upper()} {path}", "", "removed")]
                (added,) = compare_documents(less, whole)
                assert not added.breaking


class TestCheckDocument:
    @pytest.mark.parametrize("document", [[], {}, {"paths": {}}, {"openapi": "2.0", "paths": {}}, {"openapi": "3.1.0"}])
    def test_refuses_what_is_none(self, document: object) -> None:
        with pytest.raises(NotADocumentError, match="it "):
            check_document(document)
