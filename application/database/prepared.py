"""Run statements that are met again on the driver's own cursor; SQLAlchemy writes them, once.

For each run SQLAlchemy looks a statement up by all its parts, makes a context, and a result that knows its statement:
17 µs, where SQLite answers in 2 to 5 (docs/performance.md). Here a statement is written when it is met for the second
time, and after that only its values change. What is met once, or wants more than values and rows, goes the usual way;
so does everything while somebody listens to the statements or wants them logged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, CompoundSelect, Dialect, Engine, Select, UpdateBase
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TupleType, TypeEngine

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]
Shape = tuple[object, ...]
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | UpdateBase

LONGEST_LIST = 100
"""How many values a list may have for its statement to be kept, since each length is a statement of its own."""

MOST_PLANS = 200
"""How many statements are kept for one of ours; they differ by the names of their values and the lengths of lists."""


class _Slot(NamedTuple):
    """Say where the value of one place in a statement comes from, and what makes it the driver's."""

    name: str
    key: str
    convert: Convert | None
    default: Any

    def value(self, parameters: Values) -> Any:
        """Return what the driver is to be given."""
        value = parameters.get(self.key, self.default)
        return value if self.convert is None else self.convert(value)


class Plan:
    """Be a statement as the driver takes it: its text, what goes in, what comes out."""

    __slots__ = ("_columns", "_converts", "_dialect", "_is_positional", "_lists", "_slots", "_types", "text")

    def __init__(self, statement: Statement, compiled: SQLCompiler, dialect: Dialect, parameters: Values) -> None:
        """Take what was compiled; lists are written out in the lengths they have among these parameters."""
        state = compiled.construct_expanded_state(parameters)
        slots = _slots(compiled, dialect)
        self._lists = tuple((slots[name], tuple(parts)) for name, parts in state.parameter_expansion.items())
        for name, parts in state.parameter_expansion.items():
            slots |= {part: slots[name]._replace(name=part, key=part) for part in parts}
        self.text = state.statement
        self._dialect = dialect
        self._is_positional = state.positiontup is not None
        self._slots = tuple(slots[name] for name in state.positiontup or state.parameters)
        self._types: list[TypeEngine[Any]] = [column.type for column in statement.exported_columns]
        self._columns: SimpleResultMetaData | None = None
        self._converts: tuple[tuple[int, Convert], ...] = ()

    def run(self, cursor: DBAPICursor, parameters: Values) -> None:
        """Run it on a cursor of the driver; raise what that raises."""
        for slot, parts in self._lists:
            parameters = {**parameters, **dict(zip(parts, parameters.get(slot.key, slot.default), strict=True))}
        cursor.execute(self.text, self._values(parameters))

    def run_many(self, cursor: DBAPICursor, many: Sequence[Values]) -> None:
        """Run it once for each set of parameters."""
        cursor.executemany(self.text, [self._values(parameters) for parameters in many])

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

    def _values(self, parameters: Values) -> Any:
        if self._is_positional:
            return [slot.value(parameters) for slot in self._slots]
        return {slot.name: slot.value(parameters) for slot in self._slots}

    def _describe(self, description: Sequence[Sequence[Any]]) -> SimpleResultMetaData:
        """Learn by the first result how the columns are named, and what makes the driver's values ours."""
        converts = [
            kind.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            for kind, column in zip(self._types, description, strict=True)
        ]
        self._converts = tuple((place, convert) for place, convert in enumerate(converts) if convert is not None)
        self._columns = SimpleResultMetaData([column[0] for column in description])
        return self._columns


class _Known(NamedTuple):
    """Hold the plans of a statement that was met twice, by names of values and lengths of lists."""

    lists: tuple[str, ...]
    plans: dict[Shape, Plan | None]

    def shape(self, parameters: Values) -> Shape | None:
        """Return what a plan is found by; None where a list is too long to keep one."""
        if not self.lists:
            return tuple(parameters)
        lengths = [len(parameters[key]) for key in self.lists if key in parameters]
        return (*parameters, *lengths) if max(lengths, default=0) <= LONGEST_LIST else None


class Prepared:
    """Hold the plans of one engine's statements for as long as the statements live."""

    def __init__(self, dialect: Dialect) -> None:
        """Write nothing yet."""
        self._dialect = dialect
        self._known: WeakKeyDictionary[Any, _Known | None] = WeakKeyDictionary()

    def plan(self, statement: Any, parameters: Values) -> Plan | None:
        """Return the plan of a statement with such parameters; None where SQLAlchemy is to run it."""
        known = self._known.get(statement)
        if known is None:
            self._meet(statement, parameters)
            return None
        shape = known.shape(parameters)
        if shape is None:
            return None
        if shape in known.plans:
            return known.plans[shape]
        return self._keep(statement, known, shape, parameters)

    @property
    def takes_many(self) -> bool:
        """Tell whether the driver runs a statement for many sets of values well; else SQLAlchemy makes one of them."""
        return not self._dialect.use_insertmanyvalues_wo_returning

    def _meet(self, statement: Any, parameters: Values) -> None:
        """Note that a statement was met; at the second time, which of its values are lists."""
        if statement not in self._known:
            self._known[statement] = None
        elif isinstance(statement, Select | CompoundSelect | UpdateBase) and not statement.get_execution_options():
            binds = self._compiled(statement, parameters).bind_names
            self._known[statement] = _Known(tuple(bind.key for bind in binds if bind.expanding), {})

    def _keep(self, statement: Statement, known: _Known, shape: Shape, parameters: Values) -> Plan | None:
        """Write a statement for such parameters and keep it; also that SQLAlchemy is to run it."""
        compiled = self._compiled(statement, parameters)
        if len(known.plans) >= MOST_PLANS:
            known.plans.clear()
        plan = Plan(statement, compiled, self._dialect, parameters) if _is_plain(compiled, parameters) else None
        known.plans[shape] = plan
        return plan

    def _compiled(self, statement: Statement, parameters: Values) -> SQLCompiler:
        compiled: Any = statement.compile(dialect=self._dialect, column_keys=list(parameters))
        return cast(SQLCompiler, compiled)


def prepared_for(engine: Engine) -> Prepared:
    """Return what an engine's statements are kept in."""
    prepared = _PREPARED.get(engine)
    if prepared is None:
        prepared = _PREPARED.setdefault(engine, Prepared(engine.dialect))
    return prepared


def is_watched(engine: Engine) -> bool:
    """Tell whether somebody listens to the engine's statements, or wants them logged."""
    heard = engine.dispatch
    return bool(engine.echo or heard.before_cursor_execute or heard.after_cursor_execute)


_PREPARED: WeakKeyDictionary[Engine, Prepared] = WeakKeyDictionary()


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
            slots[name] = _Slot(name, bind.key, convert, bind.value)
    return slots
