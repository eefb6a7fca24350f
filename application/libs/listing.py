"""Say what a list can be asked beside its page: an order, filters, and which members of its items.

The rule holds what is allowed (`Orders`, `Filters`); a declaration names both, so that they are compared at the start
and stand in the API document. `fields` is added to every `PageQuery` here, for no handler has to do anything for it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol, get_type_hints
from urllib.parse import quote, urlencode

from flask import Response
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, create_model
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import MultiDict

from application.libs.binding import Judge
from application.libs.current import current_request
from application.libs.declaration import guess
from application.libs.error import AddressTooLong, Invalid
from application.libs.page import MAX_CURSOR, BadCursor, Page, UnknownOrder, read_cursor
from application.libs.schema import PageQuery
from application.libs.wire_name import members

View = Callable[..., Response]

FIELDS = "fields"

SPARSE_TYPE = "application/vnd.redprint.sparse+json"
"""The media type of a list whose items hold only the members that were asked for."""

REQUEST_LINE = 8190
"""How long a request's first line is at most, in bytes: gunicorn takes no more (`limit_request_line`)."""

MAX_ADDRESS = REQUEST_LINE - len("HEAD  HTTP/1.1") - len("&after=") - MAX_CURSOR
"""How long the address of a list is without its cursor: that of the next page then fits a request's first line."""

MAX_PICKERS = 64
"""How many choices of members one list keeps ready."""

MAX_SHOWN = 50
"""How much of an unknown member's name is repeated."""

# What quoting would leave as it is; most addresses are, and quoting them costs 6 µs.
_PLAIN_PATH = re.compile(r"(/[\w.~-]+)*/?", re.ASCII)  # with two slashes it could name another host
_PLAIN_QUERY = re.compile(r"([\w.~-]+=[\w.~-]*(&[\w.~-]+=[\w.~-]*)*)?", re.ASCII)

_MOST_GROWTH = 3  # times: a byte may be written as a percent sign and two digits

_WITHOUT_RULE = frozenset({*PageQuery.model_fields, "sort", "q"})


class Names(Protocol):
    """List what is allowed, as `Filters` of the database do."""

    def names(self) -> Sequence[str]:
        """Return every allowed name."""


class Orders(Names, Protocol):
    """List the orders that are allowed and judge cursors, as `Orders` of the database do."""

    def check(self, *, sort: str, after: str | None) -> None:
        """Raise `UnknownOrder`, or `BadCursor` for a cursor that was not made for the order."""


def faults(
    query: type[BaseModel], record: Any, orders: Orders | None, filters: Names | None
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong between a list's query, its records and what its rule allows, each with its cure."""
    yield from _name_faults(query)
    yield from _order_faults(query, orders)
    if orders is not None:
        yield from _cursor_faults(record, orders)
    allowed = filters.names() if filters is not None else ()
    for name in query.model_fields:
        if name in _WITHOUT_RULE or name in allowed:
            continue
        if filters is None:
            yield f"nobody names the filter `{name}`", "Add `filters=business.FILTERS`"
        else:
            yield f"no rule knows the filter `{name}`", f"{guess(name, allowed)}It knows {', '.join(allowed)}"


def _name_faults(query: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for name in _WITHOUT_RULE & query.model_fields.keys():
        if query.model_fields[name].alias is not None:
            yield f"`{name}` has an alias", "Drop it; what every list takes has one name everywhere"


def _order_faults(query: type[BaseModel], orders: Orders | None) -> Iterator[tuple[str, str]]:
    known = frozenset(orders.names() if orders is not None else ())
    if "sort" in query.model_fields:
        default = query.model_fields["sort"].default
        if orders is None:
            yield "`sort` takes what nobody names", "Add `orders=business.ORDERS`"
        elif default not in known:
            yield f"`sort` is {default!r} unless given", f"Choose its default from {', '.join(orders.names())}"
    elif orders is not None:
        yield f"{query.__name__} takes no `sort`", "Give it the field, or drop `orders=`"


def _cursor_faults(record: Any, orders: Orders) -> Iterator[tuple[str, str]]:
    """Compare the orders with the record: a page's cursor takes the last one's values, of the order and of `id`."""
    given = get_type_hints(record)
    for name in dict.fromkeys([*(name.removeprefix("-") for name in orders.names()), "id"]):
        if name not in given and not hasattr(record, name):
            what = f"the list is sorted by `{name}`, which {record.__name__} lacks"
            yield what, f"{guess(name, given)}Give {record.__name__} the field; the next page begins behind its value"


def completed(query: type[PageQuery], item: type[BaseModel], orders: Orders | None) -> type[PageQuery]:
    """Return a list's query with `fields`, which chooses among the item's members, and with the orders of `sort`.

    The orders are named for the document; `judging` refuses another one. Generated clients, which can make no name of
    a minus, are told what to call them.
    """
    added = {FIELDS: _fields(tuple(members(item)))}
    if orders is not None:
        sort = query.model_fields["sort"]
        described = {
            "type": "string",
            "enum": list(orders.names()),
            "default": sort.default,
            "x-enum-varnames": [f"{name[1:]}_descending" if name[0] == "-" else name for name in orders.names()],
        }
        named = WithJsonSchema(described)
        added["sort"] = (Annotated[sort.annotation, *sort.metadata, named], sort)
    return create_model(query.__name__, __base__=query, __module__=query.__module__, __doc__=query.__doc__, **added)


def judging(query: type[BaseModel], orders: Orders | None) -> Judge | None:
    """Return what refuses an order or a cursor of a list's query before its rule does; None of any other query.

    It is told what was read and which parameters are faulty already: a cursor can then only be asked whether it is one.
    """
    if not issubclass(query, PageQuery):
        return None
    default = query.model_fields["sort"].default if orders is not None else None

    def judge(given: Mapping[str, Any], faulty: Collection[str]) -> Iterator[Invalid]:
        after = None if "after" in faulty else given.get("after")
        try:
            if orders is not None and "sort" not in faulty:
                orders.check(sort=given.get("sort", default), after=after)
            elif after is not None:
                read_cursor(after)
        except BadCursor as refusal:
            yield refusal
        except UnknownOrder as refusal:
            yield refusal
            yield from judge(given, {*faulty, "sort"})

    return judge


def _fields(names: tuple[str, ...]) -> Any:
    described = {"type": "array", "items": {"type": "string", "enum": list(names)}, "minItems": 1, "uniqueItems": True}
    annotation = Annotated[list[str], BeforeValidator(_chooser(names)), WithJsonSchema(described)]
    description = f"Only these members of each item, separated by commas; the answer is then `{SPARSE_TYPE}`."
    return (annotation | None, Field(None, max_length=len(names), description=description, exclude=True))


def separated_by_commas(query: type[BaseModel], name: str) -> bool:
    """Tell whether a parameter is the one that chooses members; others that take several values are repeated."""
    return name == FIELDS and issubclass(query, PageQuery)


def chooses_fields() -> bool:
    """Tell whether the request says which members it wants; most queries need not be read for that."""
    request = current_request()
    query = request.environ["QUERY_STRING"]
    return (FIELDS in query or "%" in query) and FIELDS in request.args


def requested_fields(given: MultiDict[str, str], item: type[BaseModel] | None) -> tuple[str, ...]:
    """Return the fields of which a bound request asks for the members, in the item's order."""
    names = frozenset(_split(given.getlist(FIELDS)))
    return tuple(name for key, name in members(item).items() if key in names) if item is not None else ()


def only(item: type[BaseModel], names: Sequence[str]) -> type[BaseModel]:
    """Return the schema of an item that shows these members alone; it is for tests, and slow."""
    fields: dict[str, Any] = {name: (item.model_fields[name].annotation, item.model_fields[name]) for name in names}
    return create_model(f"Sparse{item.__name__}", __config__=item.model_config, **fields)


def roomy(view: View) -> View:
    """Return the view of a list that refuses an address to which the next page's cursor could not be added."""

    def asked(**path: Any) -> Response:
        environ = current_request().environ
        given = len(environ["SCRIPT_NAME"]) + len(environ["PATH_INFO"]) + len(environ["QUERY_STRING"])
        if given > MAX_ADDRESS // _MOST_GROWTH and len(_address()) > MAX_ADDRESS:
            raise AddressTooLong(f"Shorten the filters: without `after` this may have {MAX_ADDRESS} bytes")
        return view(**path)

    return asked


def links(page: Page[Any]) -> str:
    """Return the Link header of the request's page: the following one, and the first from any other (RFC 8288)."""
    first, found = _address(), []
    if page.next is not None:
        found.append(f'<{first}{"&" if "?" in first else "?"}after={page.next}>; rel="next"')
    if "after" in current_request().args:
        found.append(f'<{first}>; rel="first"')
    return ", ".join(found)


def _address() -> str:
    """Return the request's address without its cursor, as the links of its pages write it."""
    request = current_request()
    environ = request.environ
    path, query = f"{environ['SCRIPT_NAME']}{environ['PATH_INFO']}", environ["QUERY_STRING"]
    if _PLAIN_PATH.fullmatch(path) and _PLAIN_QUERY.fullmatch(query) and "after" not in request.args:
        return f"{path}?{query}" if query else path
    path = quote(f"{request.root_path}{request.path}")
    parameters = urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "after"])
    return f"{path}?{parameters}" if parameters else path


def sparse(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a list's item that may lack any of its members."""
    described = {name: value for name, value in item.items() if name not in ("required", "description", "title")}
    return described | {"minProperties": 1}


def _split(texts: Sequence[str]) -> list[str]:
    return [name for text in texts for name in text.split(",")]


def _chooser(known: tuple[str, ...]) -> Any:
    choices = ", ".join(known)

    def choose(texts: Any) -> Any:
        names = _split(texts)
        for place, name in enumerate(names):
            if name not in known:
                message = "There is no field '{name}'; choose from {choices}"
                raise PydanticCustomError("unknown_field", message, {"name": name[:MAX_SHOWN], "choices": choices})
            if name in names[:place]:
                raise PydanticCustomError("repeated", "Give the field '{name}' once", {"name": name})
        return names

    return choose
