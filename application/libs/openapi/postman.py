"""Make a Postman collection (format 2.1) of an API document: every operation once, in an order that runs.

It signs in first; then come the folders, one a tag, those first that others take ids from. In each what creates stands
before what reads and changes; what deletes stands in a folder at the end, the last created first. Ids are taken over
from answers into variables, and every request asserts its status, so `newman run` is a test of a fresh server.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from application.libs.declaration import mistake
from application.libs.openapi.schema_alternative import Json, resolve

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
METHODS = ("post", "get", "put", "patch", "delete")

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_NEW_RUN = 'pm.collectionVariables.set("run", Date.now().toString(36));'


class Plan(NamedTuple):
    """Say what no API document says."""

    sign_in: str
    """The `operationId` that takes the variables `name` and `password` and answers with a `token`."""
    sign_out: str
    """The one that ends the token, which comes last of all."""
    unique: tuple[str, ...] = ("name",)
    """Members of bodies that no two resources share: each run adds something of its own."""
    names: frozenset[str] = frozenset()
    """Operations whose body names what is there already, by `operationId`: it is sent as it is."""
    says: Mapping[str, str] = MappingProxyType({})
    """Which member of an operation's answer is the path parameter of that name, by `operationId`."""
    refused: Mapping[str, int] = MappingProxyType({})
    """The status of operations that a fresh server refuses, by `operationId`."""
    late: Mapping[str, int] = MappingProxyType({})
    """The status of operations that come too late or in time, as it happens, when they do come too late."""
    removes: tuple[str, ...] = ()
    """Operations that delete what all others need, by `operationId`: they come after these, in this order."""
    queries: Mapping[str, frozenset[str]] = MappingProxyType({})
    """Which parameters of an operation's query are sent though they need not be, by `operationId`."""


class _Request(NamedTuple):
    """Hold an operation with all that is needed to write it down."""

    method: str
    path: str
    operation: Json
    parameters: list[Json]
    creates: bool
    """Whether it makes a resource with an address of its own, whose `id` it answers."""

    @property
    def name(self) -> str:
        """Return the name by which code calls the operation."""
        return str(self.operation["operationId"])

    @property
    def tag(self) -> str:
        """Return the tag it stands under."""
        return str(self.operation["tags"][0])

    @property
    def status(self) -> int:
        """Return the status of success."""
        return min(int(status) for status in self.operation["responses"] if status.startswith("2"))


def collection(document: Json, plan: Plan, *, base_url: str) -> Json:
    """Return the collection; raise `DeclarationError` where the document lets no request be made."""
    writer = _Writer(document, plan)
    variables = {"baseUrl": base_url, "name": "admin", "password": "", "token": "", "run": ""}
    return {
        "info": {
            "name": document["info"]["title"],
            "description": document["info"].get("description", ""),
            "version": document["info"]["version"],
            "schema": SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "variable": [
            {"key": key, "value": value, "type": "string"}
            for key, value in (variables | dict.fromkeys(writer.providers.values(), "")).items()
        ],
        "item": list(writer.folders()),
    }


class _Writer:
    """Write the requests of one document."""

    def __init__(self, document: Json, plan: Plan) -> None:
        self._document = document
        self._plan = plan
        self._requests = list(_requests(document))
        self.providers = dict(_providers(self._requests)) | dict(plan.says)
        self._check()

    def folders(self) -> Iterator[Json]:
        """Yield the folders in the order in which they run."""
        ends = (self._plan.sign_in, self._plan.sign_out)
        by_name = {request.name: request for request in self._requests}
        removing = [by_name[name] for name in self._plan.removes if name in by_name]
        apart = {*ends, *self._plan.removes}
        deleting = [each for each in self._requests if each.method == "delete" and each.name not in apart]
        late = {*apart, *(request.name for request in deleting)}
        middle = [request for request in self._requests if request.name not in late]
        descriptions = {tag["name"]: tag.get("description", "") for tag in self._document.get("tags", ())}
        order = self._order(middle)
        yield self._folder("Sign in", [self._named(self._plan.sign_in)])
        for tag in order:
            inside = sorted((request for request in middle if request.tag == tag), key=self._rank)
            yield self._folder(tag, inside, descriptions.get(tag, ""))
        deleting.sort(key=lambda request: order.index(request.tag), reverse=True)
        yield self._folder("Delete and sign out", [*deleting, *removing, self._named(self._plan.sign_out)])

    def _order(self, requests: list[_Request]) -> list[str]:
        """Return the tags, each behind those whose requests say the ids that its own need."""
        says = {self.providers[request.name]: request.tag for request in requests if request.name in self.providers}
        needed: dict[str, set[str]] = {request.tag: set() for request in requests}
        for request in requests:
            needed[request.tag] |= {says[name] for name in _PARAMETER.findall(request.path) if name in says} - {
                request.tag
            }
        try:
            return list(TopologicalSorter(needed).static_order())
        except CycleError as error:
            circle = " and ".join(dict.fromkeys(error.args[1]))
            cure = "Let one of their operations carry the other's tag"
            raise mistake("the Postman collection", f"{circle} need ids of each other", cure) from None

    def _rank(self, request: _Request) -> tuple[int, str]:
        """Return where a request stands in its folder: creating, reading, changing, acting; then by path."""
        if request.creates or request.name in self._plan.says:
            return 0, request.path
        return ("get", "put", "patch", "post").index(request.method) + 1, request.path

    def _named(self, name: str) -> _Request:
        found = next((request for request in self._requests if request.name == name), None)
        if found is None:
            raise mistake("the Postman collection", f"no operation is called {name}", "Name another one in the plan")
        return found

    def _check(self) -> None:
        """Refuse a path whose parameter nothing fills: the collection could not run."""
        known = set(self.providers.values())
        for request in self._requests:
            for name in _PARAMETER.findall(request.path):
                if name not in known and _example(request, name) is None:
                    cure = f"Let POST or GET {request.path.partition(f'/{{{name}}}')[0]} answer with an `id`"
                    raise mistake(request.name, f"nothing before it says a `{name}`", cure)

    def _folder(self, name: str, requests: Iterable[_Request], description: str = "") -> Json:
        return {"name": name, "description": description, "item": [self._item(request) for request in requests]}

    def _item(self, request: _Request) -> Json:
        signs_in = request.name == self._plan.sign_in
        events = [_event("prerequest", [_NEW_RUN])] if signs_in else []
        item: Json = {
            "name": request.operation["summary"],
            "event": [*events, _event("test", [*self._assertions(request), *self._taken_over(request)])],
            "request": {
                "method": request.method.upper(),
                "header": [],
                "url": _url(request, set(self.providers.values()), self._plan.queries.get(request.name, frozenset())),
                "description": request.operation.get("description", ""),
            },
        }
        if signs_in:
            item["request"]["auth"] = {"type": "noauth"}
        described = resolve(request.operation.get("requestBody"), self._document)
        if described is not None:
            item["request"] |= self._body(request, described["content"])
        return item

    def _body(self, request: _Request, contents: Json) -> Json:
        """Return the body with its header: the first of the media types that are understood."""
        for media_type, content in contents.items():
            write = _json_body if media_type.endswith("json") else _BODIES.get(media_type)
            if write is not None and "example" in content:
                header = [] if media_type == MULTIPART else [{"key": "Content-Type", "value": media_type}]
                return {"header": header, "body": write(self._filled(request, content["example"]), content)}
        cure = "Give its fields `examples`, and take it as JSON or a form"
        raise mistake(request.name, "its body has no example that can be sent", cure)

    def _filled(self, request: _Request, example: Any) -> Any:
        """Return the example with variables in it."""
        if not isinstance(example, dict) or request.name in self._plan.names:
            return example
        if request.name == self._plan.sign_in:
            return example | {"name": "{{name}}", "password": "{{password}}"}
        return {
            key: f"{value} {{{{run}}}}" if key in self._plan.unique and isinstance(value, str) else value
            for key, value in example.items()
        }

    def _assertions(self, request: _Request) -> Iterator[str]:
        refused = self._plan.refused.get(request.name)
        if refused is not None:
            yield f'pm.test("{request.name} is refused", () => pm.response.to.have.status({refused}));'
            return
        late = self._plan.late.get(request.name)
        if late is not None:
            either = f"pm.expect(pm.response.code).to.be.oneOf([{request.status}, {late}])"
            yield f'pm.test("{request.name} answers {request.status}, or is too late", () => {either});'
            return
        yield f'pm.test("{request.name} answers {request.status}", () => pm.response.to.have.status({request.status}));'
        schema = self._answer(request)
        kind = next(iter(self._response(request).get("content", {})), None)
        if schema is None and kind is not None:
            expected = f'pm.expect(pm.response.headers.get("Content-Type")).to.include("{kind.strip("*")}")'
            yield f'pm.test("{request.name} answers {kind}", () => {expected});'
        elif schema is None:
            yield f'pm.test("{request.name} answers nothing more", () => pm.expect(pm.response.text()).to.equal(""));'
        elif schema.get("type") == "array":
            yield f'pm.test("{request.name} lists", () => pm.expect(pm.response.json()).to.be.an("array"));'
        else:
            members = _json(schema.get("required", []), indent=None)
            expected = f"pm.expect(pm.response.json()).to.include.all.keys({members})"
            yield f'pm.test("{request.name} has its members", () => {expected});'

    def _taken_over(self, request: _Request) -> Iterator[str]:
        """Yield what puts parts of the answer into variables; a refusal has none."""
        if request.name in self._plan.refused:
            return
        schema = self._answer(request) or {}
        wrapped = "data" in schema.get("properties", {})
        data = "pm.response.json().data" if wrapped else "pm.response.json()"
        if request.name == self._plan.sign_in:
            yield f'pm.collectionVariables.set("token", {data}.token);'
        if request.name in self._plan.says:
            member = self._plan.says[request.name]
            yield f'pm.collectionVariables.set("{member}", {data}.{member});'
        elif request.name in self.providers:
            first = data if request.creates else f"{data}[0]"
            keep = f'pm.collectionVariables.set("{self.providers[request.name]}", {first}.id);'
            yield keep if request.creates else f"if ({first}) {keep}"  # a list may be empty

    def _response(self, request: _Request) -> Json:
        found: Json = resolve(request.operation["responses"][str(request.status)], self._document)
        return found

    def _answer(self, request: _Request) -> Json | None:
        contents = self._response(request).get("content", {}).items()
        content = next((content for kind, content in contents if kind.endswith("json")), None)
        schema: Json | None = None if content is None else resolve(content["schema"], self._document)
        return schema


def _requests(document: Json) -> Iterator[_Request]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                described = [resolve(parameter, document) for parameter in parameters]
                yield _Request(method, path, item[method], described, _creates(document, method, path))


def _creates(document: Json, method: str, path: str) -> bool:
    """Tell whether an operation makes a resource: it says so by 201, or answers an `id` above addresses of its own."""
    responses = document["paths"][path][method]["responses"]
    if method != "post" or "201" in responses:
        return method == "post"
    if not any(other.startswith(f"{path}/{{") for other in document["paths"]):
        return False
    contents = resolve(responses.get("200", {}), document).get("content", {}).values()
    answers = [resolve(content.get("schema", {}), document) for content in contents]
    return any("id" in resolve(_data(answer), document).get("properties", {}) for answer in answers)


def _data(answer: Json) -> Json:
    """Return the schema of what an answer is about, without its envelope."""
    data: Json = answer.get("properties", {}).get("data", answer)
    return data


def _providers(requests: list[_Request]) -> Iterator[tuple[str, str]]:
    """Yield which operation says which path parameter: what creates at the path before it, else what lists there."""
    by_place = {(request.method, request.path): request for request in requests}
    found = chain.from_iterable((match for match in _PARAMETER.finditer(request.path)) for request in requests)
    for before, name in dict.fromkeys((match.string[: match.start()].rstrip("/"), match[1]) for match in found):
        creating, listing = by_place.get(("post", before)), by_place.get(("get", before))
        provider = creating if creating is not None and creating.creates else listing
        if provider is not None:
            yield provider.name, name


def _url(request: _Request, known: set[str], asked: Collection[str]) -> Json:
    segments = [_PARAMETER.sub(r":\1", segment) for segment in request.path.strip("/").split("/")]
    url: Json = {"raw": "/".join(["{{baseUrl}}", *segments]), "host": ["{{baseUrl}}"], "path": segments}
    names = _PARAMETER.findall(request.path)
    if names:
        values = {name: f"{{{{{name}}}}}" if name in known else _text(_example(request, name)) for name in names}
        url["variable"] = [{"key": name, "value": value} for name, value in values.items()]
    query = [_query(parameter, asked) for parameter in request.parameters if parameter["in"] == "query"]
    if query:
        url["query"] = query
    return url


def _example(request: _Request, name: str) -> object:
    """Return the example of a path parameter that no answer says; None where it has none."""
    described = next((item for item in request.parameters if (item["in"], item["name"]) == ("path", name)), {})
    return described.get("example", next(iter(described.get("schema", {}).get("examples", ())), None))


def _query(parameter: Json, asked: Collection[str]) -> Json:
    schema: Mapping[str, Any] = parameter.get("schema", {})
    value = next(iter(schema.get("examples") or [schema.get("default", "")]))
    return {
        "key": parameter["name"],
        "value": "" if value is None else _text(value),
        "description": parameter.get("description", ""),
        "disabled": not parameter.get("required", False) and parameter["name"] not in asked,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else _json(value, indent=None)


def _json_body(example: Any, _content: Json) -> Json:
    return {"mode": "raw", "raw": _json(example), "options": {"raw": {"language": "json"}}}


def _urlencoded_body(example: Json, _content: Json) -> Json:
    return {"mode": "urlencoded", "urlencoded": [{"key": key, "value": value} for key, value in _fields(example)]}


def _formdata_body(example: Json, content: Json) -> Json:
    """Return a form whose files are written out: one chosen from a disk would be missing on another."""
    files = content.get("encoding", {})
    fields = [
        {"key": key, "type": "text", "value": value or "example", "fileName": f"{key}.bin", **files[key]}
        if key in files
        else {"key": key, "type": "text", "value": value}
        for key, value in _fields(example)
    ]
    return {"mode": "formdata", "formdata": fields}


def _fields(example: Json) -> Iterator[tuple[str, str]]:
    """Yield the fields of a form; a list is a field that comes several times."""
    for key, value in example.items():
        for member in value if isinstance(value, list) else [value]:
            yield key, _text(member)


_BODIES: Mapping[str, Callable[[Json, Json], Json]] = {URLENCODED: _urlencoded_body, MULTIPART: _formdata_body}


def _event(listen: str, lines: list[str]) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def _json(value: object, indent: int | None = 2) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
