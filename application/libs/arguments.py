"""Read from a function's signature what it takes, and fit to it arguments that come as JSON or from code.

Arguments of JSON values alone are read as strict JSON: ISO 8601 text for a date, a list for a tuple or set, text for a
Decimal, UUID or Enum member, and else no conversion ("5" is no int; but digits are a Unix time to pydantic where the
annotation is `datetime`, and not where it is `UtcTime`). Where an argument holds other Python objects it is
held to its annotation strictly, as pydantic's `validate_call` does in strict mode. Without an annotation, an argument
may be whatever `tagged_json` writes.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec
from pydantic import ImportString, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from application.libs import tagged_json
from application.libs.declaration import guess, mistake
from application.libs.error import MAX_ERRORS, FieldError, Invalid, field_error
from application.libs.fault_wording import worded
from application.libs.storable import faults, summary

Function = Callable[..., object]
Arguments = tuple[list[Any], dict[str, Any]]
"""Positional arguments and those by name, as `function(*args, **kwargs)` takes them."""

_Loc = tuple[str | int, ...]

KIND = "x-kind"
"""The member of a parameter's JSON Schema that says how it is passed, in Python's words; without it, either way."""

_IMPORTED: Any = ImportString  # to mypy an alias
_MODE: Literal["validation"] = "validation"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_REWRITABLE = {"type_unstorable", "invalid_key"}
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_CURE = "Annotate it with text, numbers, dates, Enums, or lists, dicts or models of them"


class InvalidArguments(Invalid):
    """The arguments do not fit the function."""


class Signature:
    """Hold what a function takes.

    `schema` is a JSON Schema of an object that has each parameter as a property; `*args` are an array among them,
    `**kwargs` are its `additionalProperties`, and `x-kind` says what can be given by position or by name only.
    """

    def __init__(self, function: Function, where: str) -> None:
        """Read the signature; raise `DeclarationError` where a parameter has no JSON form."""
        hints = _hints(function, where)
        found = [
            _Parameter(parameter, hints.get(parameter.name, Any), where)
            for parameter in inspect.signature(function).parameters.values()
        ]
        self._positional = [parameter for parameter in found if parameter.kind in _POSITIONAL]
        self._named = {item.name: item for item in found if item.kind not in (_POSITIONAL[0], *_VARIADIC)}
        self._rest = next((item for item in found if item.kind is _VARIADIC[0]), None)
        self._named_rest = next((item for item in found if item.kind is _VARIADIC[1]), None)
        self._required = [parameter for parameter in found if parameter.is_required]
        self.schema = _describe(found)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
        """Return the arguments as `tagged_json` stores them, once they are found to fit.

        They stay as they were given but for what it does not store, such as members of an Enum or models: these become
        the JSON that gives them again. Defaults are not filled in. Raises `InvalidArguments` with all faults, whose
        places are `["args", 0, …]` or `["kwargs", "name", …]` and whose types are pydantic's.
        """
        bound = self._each(args, kwargs, _Parameter.store)
        errors = [*faults(bound[0], "args"), *faults(bound[1], "kwargs")]  # all of it too long
        if errors:
            raise InvalidArguments(summary(errors), errors=errors)
        return bound

    def convert(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Arguments:
        """Return what was bound as the annotations want it: dates, Decimals, members of Enums, models.

        Raises `InvalidArguments` as `bind` does, where the signature has changed since.
        """
        return self._each(args, kwargs, _Parameter.convert)

    def _each(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], change: Callable[["_Parameter", Any, _Loc], Any]
    ) -> Arguments:
        """Return the arguments, each as `change(parameter, value, loc)` has it; all faults are raised together."""
        _check_shape(args, kwargs)
        errors: list[FieldError] = []
        changed: list[Any] = []
        for loc, value, parameter in self._places(args, kwargs):
            if isinstance(parameter, _Slip):
                errors.append(field_error(*loc, msg=parameter.msg, type_=parameter.type))
                continue
            try:
                changed.append(change(parameter, value, loc))
            except InvalidArguments as error:
                errors += error.errors
        errors += self._missing(len(args), kwargs)
        if errors:
            raise InvalidArguments(summary(errors), errors=errors)
        return changed[: len(args)], dict(zip(kwargs, changed[len(args) :], strict=True))

    def _places(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Iterator[tuple[_Loc, Any, "_Parameter | _Slip"]]:
        for index, value in enumerate(args):
            yield ("args", index), value, self._at(index)
        for name, value in kwargs.items():
            yield ("kwargs", name.encode("utf-8", "replace").decode()), value, self._called(name, len(args))

    def _at(self, index: int) -> "_Parameter | _Slip":
        """Return the parameter that takes the positional argument."""
        if index < len(self._positional):
            return self._positional[index]
        if self._rest is not None:
            return self._rest
        msg = f"Unexpected positional argument. The function takes {len(self._positional) or 'none'} by position"
        return _Slip("unexpected_positional_argument", msg)

    def _called(self, name: str, count: int) -> "_Parameter | _Slip":
        """Return the parameter that takes the argument of the name, beside `count` positional ones."""
        parameter = self._named.get(name)
        if parameter is None:
            return self._named_rest or self._unexpected(name)
        if parameter in self._positional[:count]:
            return _Slip("multiple_argument_values", "Got multiple values for argument. Leave it out here or in `args`")
        return parameter

    def _unexpected(self, name: str) -> "_Slip":
        by_position = [*self._positional, self._rest]
        if any(parameter is not None and parameter.name == name for parameter in by_position):
            cure = "Give it by position, in `args`"
        else:
            cure = f"{guess(name, self._named)}The function takes {', '.join(self._named) or 'none'} by name"
        return _Slip("unexpected_keyword_argument", f"Unexpected keyword argument. {cure}")

    def _missing(self, count: int, kwargs: Mapping[str, Any]) -> Iterator[FieldError]:
        """Yield what is required and stands neither among the first `count` positional arguments nor in `kwargs`."""
        for parameter in self._required:
            if parameter in self._positional[:count]:
                continue
            if parameter.name not in self._named:
                index = self._positional.index(parameter)
                msg = f"Missing required positional only argument. Give `{parameter.name}` here, in `args`"
                yield field_error("args", index, msg=msg, type_="missing_positional_only_argument")
            elif parameter.name not in kwargs:
                by_name = parameter.kind is inspect.Parameter.KEYWORD_ONLY
                msg = f"Missing required {'keyword only ' if by_name else ''}argument. Give it a value"
                type_ = "missing_keyword_only_argument" if by_name else "missing_argument"
                yield field_error("kwargs", parameter.name, msg=msg, type_=type_)


class _Slip(NamedTuple):
    """Say why no parameter takes an argument."""

    type: str
    msg: str


class _Parameter:
    """Hold one parameter, and read its values."""

    def __init__(self, parameter: inspect.Parameter, annotation: Any, where: str) -> None:
        self.name = parameter.name
        self.kind = parameter.kind
        self.has_default = parameter.default is not inspect.Parameter.empty
        self.is_required = not self.has_default and parameter.kind not in _VARIADIC
        self.adapter = _adapter(self.name, annotation, where)
        self._default = parameter.default
        if isinstance(self._default, FieldInfo) or _has_default(annotation):
            what = f"the default of its parameter `{self.name}` stands in Field()"
            raise mistake(where, what, "Write Annotated[…, Field(…)], and the default behind an equals sign")

    def remarks(self) -> dict[str, Any]:
        """Return what the parameter's JSON Schema says beside the type: how it is passed, and its default."""
        kind = {} if self.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD else {KIND: self.kind.description}
        if not self.has_default:
            return kind
        try:
            return kind | {"default": tagged_json.show(self.store(self._default, ()))}
        except InvalidArguments:  # a mark that no client could send
            return kind

    def store(self, value: Any, loc: _Loc) -> Any:
        """Return a value that fits, as it is stored: as it is, else as JSON that gives it again."""
        typed = self.convert(value, loc)
        errors = faults(value, *loc)
        if not errors:
            return value
        if {error["type"] for error in errors} <= _REWRITABLE:
            with suppress(ValueError):  # pydantic's, when it can write a value as no JSON, or read it from none
                written = self.adapter.dump_python(typed, mode="json", by_alias=True, round_trip=True, warnings="none")
                if not faults(written) and _with_types(self._read(written)) == _with_types(typed):
                    return written
        raise InvalidArguments(summary(errors), errors=errors)

    def convert(self, value: Any, loc: _Loc) -> Any:
        """Return the value as the annotation wants it; raise `InvalidArguments` with its faults."""
        try:
            return self._read(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_ERRORS]
            errors = [field_error(*loc, *item["loc"], msg=worded(item["msg"]), type_=item["type"]) for item in found]
            raise InvalidArguments(summary(errors), errors=errors) from None

    def _read(self, value: Any) -> Any:
        if faults(value) or tagged_json.show(value) != value:  # there is more in it than JSON
            return self.adapter.validate_python(value, strict=True)
        return self.adapter.validate_json(msgspec.json.encode(value), strict=True)


def _check_shape(args: object, kwargs: object) -> None:
    errors = []
    if not isinstance(args, list | tuple):
        errors.append(field_error("args", msg="Give the positional arguments as a list", type_="list_type"))
    if not isinstance(kwargs, Mapping):
        errors.append(field_error("kwargs", msg="Give names with their values", type_="dict_type"))
    elif not all(isinstance(name, str) for name in kwargs):
        errors.append(field_error("kwargs", msg="Give names as text", type_="invalid_key"))
    if errors:
        raise InvalidArguments(summary(errors), errors=errors)


def _hints(function: Function, where: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        what = f"an annotation is not defined ({error})"
        raise mistake(where, what, "Import its name in the module, and spell it as it is defined") from None


def _adapter(name: str, annotation: Any, where: str) -> TypeAdapter[Any]:
    """Return what validates values of the annotation; raise `DeclarationError` where JSON cannot give them all."""
    try:
        if _imports(annotation):
            raise _NoJsonForm("text would be imported")
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        adapter.json_schema(schema_generator=_JsonForm)
    except (_NoJsonForm, PydanticUserError, TypeError) as error:
        what = f"its parameter `{name}` has no JSON form ({str(error).splitlines()[0]})"
        raise mistake(where, what, _CURE) from None
    return adapter


def _imports(annotation: Any) -> bool:
    """Tell whether values would be imported by name, which is for code alone."""
    is_one = annotation is _IMPORTED or isinstance(annotation, _IMPORTED)
    return is_one or any(_imports(part) for part in get_args(annotation))


def _has_default(annotation: Any) -> bool:
    metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return any(isinstance(item, FieldInfo) and not item.is_required() for item in metadata)


class _NoJsonForm(Exception):
    """Values of a type cannot be given as JSON."""


class _JsonForm(GenerateJsonSchema):
    """Describe types, and refuse those whose values JSON cannot give, also in a union, where pydantic drops them."""

    def handle_invalid_for_json_schema(self, _schema: object, error_info: str) -> JsonSchemaValue:
        """Refuse what pydantic cannot describe: functions, instances of any class."""
        raise _NoJsonForm(error_info)

    def bytes_schema(self, _schema: core_schema.BytesSchema) -> JsonSchemaValue:
        """Refuse bytes, which `tagged_json` does not store."""
        raise _NoJsonForm("bytes; take base64 text, or the id of where they are stored")

    def is_subclass_schema(self, _schema: core_schema.IsSubclassSchema) -> JsonSchemaValue:
        """Refuse classes, which pydantic describes as anything."""
        raise _NoJsonForm("a class")

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        """Describe an Enum, unless a member has a value that JSON cannot give."""
        strange = [member for member in schema["members"] if not isinstance(member.value, str | int | float)]
        if strange:
            raise _NoJsonForm(f"{strange[0]} has a value that is neither text nor a number")
        return super().enum_schema(schema)


def _describe(parameters: Sequence[_Parameter]) -> dict[str, Any]:
    """Return one JSON Schema for all parameters; what several of them use stands in its `$defs`."""
    inputs = [(parameter.name, _MODE, parameter.adapter) for parameter in parameters]
    described, definitions = TypeAdapter.json_schemas(inputs, schema_generator=_JsonForm)
    properties: dict[str, Any] = {}
    rest: Any = False
    for parameter in parameters:
        schema, remarks = described[parameter.name, _MODE], parameter.remarks()
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            rest = schema | remarks
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            properties[parameter.name] = {"type": "array", "items": schema} | remarks
        else:
            properties[parameter.name] = schema | remarks
    required = [parameter.name for parameter in parameters if parameter.is_required]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": rest,
    } | definitions


def _with_types(value: Any) -> Any:
    """Return what tells whether values are equal in their types too: a StrEnum's member equals its text."""
    kind = type(value)
    if isinstance(value, dict):
        return kind, tuple((_with_types(key), _with_types(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return kind, tuple(map(_with_types, value))
    if isinstance(value, set | frozenset):
        return kind, frozenset(map(_with_types, value))
    return kind, value
