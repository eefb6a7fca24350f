"""Run statements that are met again on the driver's own cursor; SQLAlchemy writes them, once.

For each run SQLAlchemy looks a statement up by all its parts, makes a context, and a result that knows its statement:
17 µs, where SQLite answers in 2 to 5 (docs/performance.md). Here a statement is written when it is met for the second
time, and after that only its values change. What is met once, or wants more than values and rows, goes the usual way;
so does everything while somebody listens to the statements or wants them logged.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import BindParameter, CompoundSelect, Dialect, Engine, Select, TextClause, UpdateBase
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TupleType, TypeEngine

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | UpdateBase

LONGEST_LIST = 100
"""How many values a list may have for its statement to be kept, since each length is a statement of its own."""

MOST_PLANS = 2000
"""How many statements an engine keeps, 6 kB each; clients choose among filters and lengths of lists."""

_REQUIRED = object()
_KEEPS = re.compile(r"\b(?:FOR (?:NO KEY )?UPDATE|FOR (?:KEY )?SHARE|LOCK IN SHARE MODE|INSERT|UPDATE|DELETE)\b")
_LOG = logging.getLogger("sqlalchemy.engine.Engine")


class _Slot(NamedTuple):
    """Say where the value of one place in a statement comes from, and what makes it the driver's."""

    name: str
    key: str
    convert: Convert | None
    default: Any

    def value(self, parameters: Values) -> Any:
        """Return what the driver is to be given."""
        value = parameters.get(self.key, self.default)
        if value is _REQUIRED:
            raise InvalidRequestError(f"A value is required for bind parameter {self.key!r}")
        return value if self.convert is None else self.convert(value)


class Plan:
    """Be a statement as the driver takes it: its text, what goes in, what comes out."""

    __slots__ = ("_columns", "_converts", "_dialect", "_is_positional", "_lists", "_slots", "_types", "keeps", "text")

    def __init__(self, statement: Statement, compiled: SQLCompiler, dialect: Dialect, parameters: Values) -> None:
        """Take what was compiled; lists are written out in the lengths they have among these parameters."""
        state = compiled.construct_expanded_state(parameters)
        slots = _slots(compiled, dialect)
        self._lists = tuple((slots[name], tuple(parts)) for name, parts in state.parameter_expansion.items())
        for name, parts in state.parameter_expansion.items():
            slots |= {part: slots[name]._replace(name=part, key=part) for part in parts}
        self.text = state.statement
        self.keeps = _KEEPS.search(self.text) is not None
        self._dialect = dialect
        self._is_positional = state.positiontup is not None
        self._slots = tuple(slots[name] for name in state.positiontup or state.parameters)
        self._types: list[TypeEngine[Any]] = [column.type for column in statement.exported_columns]
        self._columns: SimpleResultMetaData | None = None
        self._converts: tuple[tuple[int, Convert], ...] = ()

    @property
    def has_lists(self) -> bool:
        """Tell whether it is written for lists of certain lengths."""
        return bool(self._lists)

    def arguments(self, parameters: Values) -> Any:
        """Return the values as the driver takes them; raise whatever says that they are none."""
        for slot, parts in self._lists:
            parameters = {**parameters, **dict(zip(parts, parameters.get(slot.key, slot.default), strict=True))}
        if self._is_positional:
            return [slot.value(parameters) for slot in self._slots]
        return {slot.name: slot.value(parameters) for slot in self._slots}

    def result(self, cursor: DBAPICursor) -> IteratorResult[*tuple[Any, ...]]:
        """Return its rows, read to the last."""
        columns = self._columns or self._describe(cursor.description or ())
        rows: Iterable[Any] = cursor.fetchall()
        if rows and self._converts:
            turned: list[Iterable[Any]] = list(zip(*rows, strict=True))
            for place, convert in self._converts:
                turned[place] = map(convert, turned[place])
            rows = zip(*turned, strict=True)
        return IteratorResult(columns, iter(rows))

    def _describe(self, description: Sequence[Sequence[Any]]) -> SimpleResultMetaData:
        """Learn by the first result how the columns are named, and what makes the driver's values ours."""
        converts = [
            kind.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            for kind, column in zip(self._types, description, strict=True)
        ]
        self._converts = tuple((place, convert) for place, convert in enumerate(converts) if convert is not None)
        self._columns = SimpleResultMetaData([column[0] for column in description])
        return self._columns


class _Form(NamedTuple):
    """Hold a statement as SQLAlchemy wrote it for values of certain names, and its plans by the lengths of lists."""

    compiled: SQLCompiler
    lists: tuple[str, ...]
    plans: dict[tuple[int, ...], Plan]


class Prepared:
    """Hold the plans of one engine's statements."""

    def __init__(self, dialect: Dialect) -> None:
        """Write nothing yet."""
        self._dialect = dialect
        self._met: WeakSet[Any] = WeakSet()
        self._forms: dict[Any, dict[tuple[str, ...], _Form | None]] = {}
        self._count = 0

    def plan(self, statement: Any, parameters: Values) -> Plan | None:
        """Return the plan of a statement with such parameters; None where SQLAlchemy is to run it."""
        forms = self._forms.get(statement)
        if forms is None:
            self._meet(statement)
            return None
        names = tuple(parameters)
        form = forms[names] if names in forms else self._write(statement, forms, names, parameters)
        if form is None:
            return None
        lengths = tuple(len(parameters[key]) for key in form.lists) if form.lists else ()
        return form.plans.get(lengths) or self._expand(statement, form, lengths, parameters)

    @property
    def takes_many(self) -> bool:
        """Tell whether the driver runs a statement for many sets of values well; else SQLAlchemy makes one of them."""
        return not self._dialect.use_insertmanyvalues_wo_returning

    def _meet(self, statement: Any) -> None:
        """Note that a statement was met; what is met again is kept."""
        if statement not in self._met:
            self._met.add(statement)
        elif _may_be_kept(statement):
            self._note()
            self._forms[statement] = {}

    def _write(
        self,
        statement: Statement,
        forms: dict[tuple[str, ...], _Form | None],
        names: tuple[str, ...],
        parameters: Values,
    ) -> _Form | None:
        """Let SQLAlchemy write a statement for values of these names; None is kept where it is to run it, too."""
        compiled: Any = statement.compile(dialect=self._dialect, column_keys=list(names))
        form: _Form | None = None
        if _is_plain(compiled, parameters):
            lists = tuple(bind.key for bind in compiled.bind_names if bind.expanding and bind.key in parameters)
            form = _Form(compiled, lists, {})
        self._note()
        forms[names] = form
        return form

    def _expand(self, statement: Statement, form: _Form, lengths: tuple[int, ...], parameters: Values) -> Plan | None:
        if max(lengths, default=0) > LONGEST_LIST:
            return None
        plan = Plan(statement, form.compiled, self._dialect, parameters)
        self._note()
        form.plans[lengths] = plan
        return plan

    def _note(self) -> None:
        """Count what is kept; what is asked for most is soon there again."""
        self._count += 1
        if self._count > MOST_PLANS:
            self._count = 1
            self._forms = {}


def prepared_for(engine: Engine) -> Prepared:
    """Return what an engine's statements are kept in."""
    prepared = _PREPARED.get(engine)
    if prepared is None:
        prepared = _PREPARED.setdefault(engine, Prepared(engine.dialect))
    return prepared


def is_watched(engine: Engine) -> bool:
    """Tell whether somebody listens to the engine's statements, or wants them logged."""
    heard = engine.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute or engine.echo) or _LOG.isEnabledFor(
        logging.INFO
    )


_PREPARED: WeakKeyDictionary[Engine, Prepared] = WeakKeyDictionary()


def _may_be_kept(statement: Any) -> bool:
    """Tell whether all there is to a statement is its text; a text among its columns may be several of them."""
    if not isinstance(statement, Select | CompoundSelect | UpdateBase) or statement.get_execution_options():
        return False
    return not any(isinstance(part, TextClause) for part in statement.get_children())


def _is_plain(compiled: SQLCompiler, parameters: Values) -> bool:
    """Tell whether nothing but values changes from one run to the next, and they are all given."""
    if compiled.prefetch or compiled.escaped_bind_names:
        return False
    written_out = {bind.key for bind in compiled.literal_execute_params}
    if not written_out.isdisjoint(parameters):
        return False
    return all(_is_given(bind, parameters) for bind in compiled.bind_names)


def _is_given(bind: BindParameter[Any], parameters: Values) -> bool:
    """Tell whether the value is at hand, and one value; SQLAlchemy says what is wrong where none is."""
    if bind.callable is not None or isinstance(bind.type, TupleType):
        return False
    return bind.key in parameters or not bind.required


def _slots(compiled: SQLCompiler, dialect: Dialect) -> dict[str, _Slot]:
    """Return what goes into each place; of two that share a name, one may know of no type, and takes the other's."""
    slots: dict[str, _Slot] = {}
    for bind, name in compiled.bind_names.items():
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None or name not in slots:
            slots[name] = _Slot(name, bind.key, convert, _REQUIRED if bind.required else bind.value)
    return slots
