"""Write operations in the dialect of the surface that mounts them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from application.libs.auth import ANY_KEY
from application.libs.converter import INT32_MAX
from application.libs.filter import COLUMN
from application.libs.listing import SPARSE_TYPE, separated_by_commas, sparse
from application.libs.multilingual import Translate
from application.libs.ok import Dialect, Json, reason
from application.libs.openapi.example import example, has_example
from application.libs.openapi.form import Forms
from application.libs.openapi.header import References, answers_unmodified, request_headers, success_headers
from application.libs.openapi.refusal import Refusals, Served
from application.libs.openapi.schema import paragraphs, standalone, translated, without_null
from application.libs.operation import Operation
from application.libs.redprint import Mounted
from application.libs.schema import BINARY
from application.libs.wire_name import members, wire_name

Refs = Mapping[Any, Json]

_SCHEMAS = "#/components/schemas/"
_PATH_SCHEMAS: Mapping[str, Json] = {
    "id": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 1, "maximum": INT32_MAX},
    "string": {"type": "string", "minLength": 1},
}
_PLACES = {"query": "query", "headers": "header"}


class Writer:
    """Write operations, and collect what several of them refer to.

    `refs` says under which name each schema stands, for two may share a name; `schemas` are those components.
    """

    def __init__(
        self,
        refs: Refs,
        schemas: Json,
        served: Sequence[tuple[Mounted, str]],
        translate: Translate,
        config: Mapping[str, Any],
    ) -> None:
        """Take all operations with the path of each, for some of what they refer to is named after them together.

        `config` says how long bodies may be where an operation takes longer ones.
        """
        self._config = config
        self._refs = refs
        self._schemas = schemas
        self._translate = translate
        self._references = References(translate)
        asked = (Served(item, _asked(item.operation, path)) for item, path in served)
        self._refusals = Refusals(asked, self._references, translate)
        self._forms = Forms([item.operation for item, _path in served], refs, schemas)
        self._answers: Json = {}

    @property
    def components(self) -> Json:
        """Return what the operations refer to, beside schemas."""
        return {
            "responses": dict(sorted((self._answers | self._refusals.components).items())),
            "parameters": self._references.described_parameters,
            "headers": self._references.described_headers,
        }

    def operation(self, item: Mounted, operation_id: str) -> Json:
        """Return the entry of one operation."""
        operation, dialect = item.operation, item.surface.dialect
        entry: Json = {
            "operationId": operation_id,
            "tags": [item.tag],
            "summary": self._translate(operation.summary),
            "description": self._description(operation),
        }
        path = [translated(parameter, self._translate) for parameter in _path(operation)]
        parameters = [*path, *self._parameters(operation)]
        if parameters:
            entry["parameters"] = parameters
        content = self._content(operation)
        if content:
            entry["requestBody"] = {**self._bound(operation), "required": True, "content": content}
        entry["responses"] = self._successes(item) | self._refusals.responses(item)
        schemes: list[Json] = [{scheme: []} for scheme in dialect.schemes]
        entry["security"] = _security(operation, schemes)
        if item.surface.deprecation is not None:
            entry["deprecated"] = True
        if operation.permission:
            entry["x-permission"] = str(operation.permission)
        return entry

    def _description(self, operation: Operation) -> str:
        """Return who may call, behind what is said of the operation."""
        if operation.public:
            access = self._translate("Open to everybody.")
        elif operation.permission:
            access = self._translate("Needs the permission `{permission}`.")
            access = access.replace("{permission}", str(operation.permission))
        else:
            access = self._translate("For every signed-in caller.")
        access += self._of_keys(operation)
        said = paragraphs(operation.description, self._translate) if operation.description else ""
        return f"{said}\n\n{access}" if said else access

    def _of_keys(self, operation: Operation) -> str:
        """Return what a key for machines needs, where that is not what people need."""
        if operation.scope is None:
            return ""
        if operation.scope == ANY_KEY:
            return " " + self._translate("Keys may call it, too.")
        said = self._translate("A key needs the permission `{permission}`.")
        return " " + said.replace("{permission}", str(operation.scope))

    def _bound(self, operation: Operation) -> Json:
        """Return how long the whole content may be, where that is not what it is everywhere."""
        if operation.max_body is None:
            return {}
        said = self._translate("At most {max_bytes} bytes in all.")
        return {"description": said.replace("{max_bytes}", str(self._config[operation.max_body]))}

    def _parameters(self, operation: Operation) -> Iterable[Json]:
        for place, location in _PLACES.items():
            model = operation.inputs.get(place)
            if model is not None:
                yield from self._fields(model, place, location)
        yield from self._references.parameters(request_headers(operation))

    def _fields(self, model: type[BaseModel], place: str, location: str) -> Iterable[Json]:
        described = translated(standalone(model), self._translate)
        for key, given in described.get("properties", {}).items():
            name = members(model)[key]
            schema = _naming_column(name, without_null(given))
            parameter: Json = {"name": wire_name(name, model.model_fields[name], place), "in": location}
            if "description" in schema:
                parameter["description"] = schema.pop("description")
            if key in described.get("required", ()):
                parameter["required"] = True
                if has_example(schema, {}):
                    parameter["example"] = example(schema, {})
            explode = {"explode": False} if separated_by_commas(model, name) else {}
            yield {**parameter, **explode, "schema": schema}

    def _content(self, operation: Operation) -> Json:
        if "body" not in operation.inputs:
            return self._forms.content(operation)
        schema = self._refs[operation.inputs["body"], "validation"]
        content = {"schema": schema, "example": example(schema, self._schemas)}
        return dict.fromkeys(operation.media_types, content)

    def _successes(self, item: Mounted) -> Json:
        headers = self._references.headers(success_headers(item.operation, item.surface))
        responses = {str(item.operation.status): self._success(item.operation, item.surface.dialect, headers)}
        if answers_unmodified(item.operation):
            kept = {name: headers[name] for name in ("X-Request-ID", "ETag")}
            self._answers["NotModified"] = {"description": self._translate(reason(304)), "headers": kept}
            responses["304"] = {"$ref": "#/components/responses/NotModified"}
        return responses

    def _success(self, operation: Operation, dialect: Dialect, headers: Json) -> Json:
        response: Json = {"description": self._translate(reason(operation.status)), "headers": headers}
        answer = operation.answer
        if answer.media_type is not None:
            response["content"] = {answer.media_type: {"schema": _raw(answer.media_type)}}
        if answer.schema is not None:
            data = self._refs[answer.schema, "serialization"]
            listed = {"type": "array", "items": data} if answer.is_list else data
            schema = dialect.describe(listed, is_page=answer.is_page)
            content = {"schema": schema, "example": example(schema, self._schemas)}
            response["content"] = {"application/json": content}
            if operation.is_sparse:
                response["content"][SPARSE_TYPE] = self._sparse(data["$ref"].removeprefix(_SCHEMAS), dialect)
        return response

    def _sparse(self, name: str, dialect: Dialect) -> Json:
        """Return what a list answers with to who asks for some members of its items."""
        self._schemas.setdefault(f"Sparse{name}", sparse(self._schemas[name]))
        listed = {"type": "array", "items": {"$ref": f"{_SCHEMAS}Sparse{name}"}}
        schema = dialect.describe(listed, is_page=True)
        return {"schema": schema, "example": example(schema, self._schemas)}


def _security(operation: Operation, schemes: Sequence[Json]) -> list[Json]:
    """Return the ways to call: with which credentials, `{}` for with none; nothing where they are not looked at."""
    if operation.signs_in:
        return []
    return [{}, *schemes] if operation.public else [*schemes]


def _asked(operation: Operation, path: str) -> str:
    """Return the path with an example of each parameter in it."""
    return path.format(**{parameter["name"]: parameter["example"] for parameter in _path(operation)})


def _path(operation: Operation) -> Iterable[Json]:
    hints = get_type_hints(operation.handler, include_extras=True)
    for name, converter in operation.path.items():
        schema = _PATH_SCHEMAS.get(converter, _PATH_SCHEMAS["string"])
        field = _field(hints[name])
        parameter = {"name": name, "in": "path", "required": True, "schema": schema}
        if field is not None and field.description:
            parameter["description"] = field.description
        examples = field.examples if field is not None else None
        yield {**parameter, "example": examples[0] if examples else example(schema, {})}


def _raw(media_type: str) -> Json:
    """Return the schema of an answer that is no JSON: text, or bytes of this type."""
    if media_type == "*/*":
        return {"type": "string", "format": "binary"}
    return {"type": "string"} if media_type.startswith("text/") else {**BINARY, "contentMediaType": media_type}


def _naming_column(name: str, schema: Json) -> Json:
    """Return a filter's schema, whose description is one for all columns, with its own (`column__operator`)."""
    if "description" not in schema:
        return schema
    column = name.partition("__")[0]
    return {**schema, "description": schema["description"].replace(COLUMN, f"`{column}`")}


def _field(hint: Any) -> FieldInfo | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((item for item in get_args(hint) if isinstance(item, FieldInfo)), None)
