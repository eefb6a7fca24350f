"""Read what a handler takes from its signature: the parameters of its rule, and a schema for each reserved name."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeGuard, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from application.libs.binding import RESERVED
from application.libs.bounds import unbounded
from application.libs.declaration import guess, mistake, said_here
from application.libs.placement import misplaced
from application.libs.strictness import lenient, misspoken

Handler = Callable[..., object]

_PATH_TYPES: Mapping[str, type] = {"id": str, "int": int, "path": str, "string": str, "float": float, "uuid": UUID}


def read_parameters(
    handler: Handler, hints: Mapping[str, Any], path: Mapping[str, str], where: str
) -> dict[str, type[BaseModel]]:
    """Return the schemas of a handler's inputs by reserved name; raise `DeclarationError` with the cure."""
    _check_path(handler, hints, path, where)
    inputs = {}
    for name, parameter in inspect.signature(handler).parameters.items():
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise mistake(where, f"`{name}` cannot be given by name", "Take the slash out of the signature")
        if parameter.default is not parameter.empty:
            cure = "Drop it; what may be left out has its default in the schema"
            raise mistake(where, f"`{name}` has a default, which nothing uses", cure)
        if name in path:
            continue
        if name not in RESERVED:
            raise mistake(where, f"nothing fills the parameter `{name}`", _filling(name, hints.get(name)))
        inputs[name] = _read_schema(name, hints.get(name), where)
    if "body" in inputs and ("form" in inputs or "files" in inputs):
        raise mistake(where, "it takes a JSON body and a form", "A request carries one of them")
    return inputs


def _read_schema(name: str, schema: Any, where: str) -> type[BaseModel]:
    if not _is_schema(schema):
        is_list = get_origin(schema) in (list, tuple, set, frozenset)
        cure = "Wrap the list in a schema, so that it has a `max_length`" if is_list else "Annotate it with a Schema"
        raise mistake(where, f"`{name}` is annotated with {schema!r}", cure)
    lax = list(lenient(schema))
    if lax:
        raise mistake(where, f"{schema.__name__} takes unknown fields or converts silently", "; ".join(lax))
    check_names(schema, where)
    loose = list(unbounded(schema)) if name != "files" else []
    if loose:
        raise mistake(where, f"{schema.__name__} takes input without a bound", "; ".join(loose))
    wrong = list(misplaced(name, schema))
    if wrong:
        raise mistake(where, f"{schema.__name__} cannot be filled from `{name}`", "; ".join(wrong))
    return schema


def _filling(name: str, hint: Any) -> str:
    """Return how a parameter that nothing fills would be filled."""
    if said_here(name):
        return said_here(name)
    meant = guess(name, RESERVED)
    if not meant and _is_schema(hint):
        return "Call it `body`, or `query` where it reads"
    return f"{meant}Put <{name}> into the rule, or take it through one of {', '.join(RESERVED)}"


def _is_schema(hint: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def check_names(schema: type[BaseModel], where: str) -> None:
    """Refuse a schema whose fields are not called the same in both directions."""
    wrong = list(misspoken(schema))
    if wrong:
        raise mistake(where, f"{schema.__name__} has fields without one name on the wire", "; ".join(wrong))


def _check_path(handler: Handler, hints: Mapping[str, Any], path: Mapping[str, str], where: str) -> None:
    parameters = inspect.signature(handler).parameters
    for name, converter in path.items():
        if name not in parameters:
            kind = _PATH_TYPES.get(converter, str).__name__
            cure = f"{guess(name, set(parameters) - set(path))}Add a parameter `{name}: {kind}`"
            raise mistake(where, f"the rule has <{name}>, which no parameter takes", cure)
        wanted = _PATH_TYPES.get(converter)
        if wanted is not None and _bare(hints.get(name)) is not wanted:
            raise mistake(
                where, f"`{name}` is not what the rule's <{converter}> gives", f"Write `{name}: {wanted.__name__}`"
            )


def _bare(hint: Any) -> Any:
    """Strip `Annotated`, in which a path parameter may carry a `Field` with its description and examples."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
