"""Ask a database how it will answer a statement: what it reads by an index, what it reads whole, what it sorts."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from application.database import Base, db, transaction

Json = dict[str, Any]

_SQLITE_STEP = re.compile(
    r"(?:SCAN|SEARCH) (?P<table>\S+)"
    r"(?: USING (?:COVERING )?(?:INDEX )?(?P<name>(?:INTEGER )?PRIMARY KEY|\w+))?"
    r"(?: \((?P<by>.+)\))?"
)
"""A step of a plan; an index that SQLite makes for the statement (AUTOMATIC) reads the whole table, and is none."""


_CUT = "page"  # what `Listing` calls the rows of a page behind which others are nested


class Step(NamedTuple):
    """Hold how one table is read: past all indexes, or by the one of a name, at what it is entered by."""

    table: str
    name: str = ""
    by: str = ""

    def is_entered_by(self, column: str) -> bool:
        """Tell whether the index is entered at a value of the column."""
        return re.search(rf"\b{column}\b", self.by) is not None


class Plan(NamedTuple):
    """Hold what a plan says, alike for every database."""

    text: str
    """As the database puts it, for messages."""
    steps: list[Step]
    sorts: bool
    """Whether all that is found is sorted before the first row is given; to sort each tie for itself is none, nor is to
    sort the rows of one page again, behind which others are nested."""

    @property
    def whole(self) -> list[str]:
        """Return the tables that are read from end to end; what is made for the statement alone is none."""
        found = [step.table for step in self.steps if not step.name and not step.table.startswith("<")]
        return [table for table in found if table != _CUT]

    def steps_in(self, table: str) -> list[Step]:
        """Return the steps that read a table."""
        return [step for step in self.steps if step.table == table]

    @property
    def indexes(self) -> list[str]:
        """Return all indexes that are used."""
        return [step.name for step in self.steps if step.name]


def explain(connection: Connection, statement: str, parameters: Any) -> Plan:
    """Return the plan of a statement as the driver takes it; it is not run."""
    name = connection.dialect.name
    if name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        return _of_sqlite(rows, is_ordered="ORDER BY" in statement)
    if name == "postgresql":
        found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        return _of_postgresql(found[0]["Plan"])
    return _of_mariadb(
        json.loads(connection.exec_driver_sql(f"EXPLAIN FORMAT=JSON {statement}", parameters).scalar_one())
    )


def analyze() -> None:
    """Let the database look at its tables, to plan by figures; SQLite plans without, as it is served."""
    with transaction() as unit:
        tables = ", ".join(map(unit.connection.dialect.identifier_preparer.quote, Base.metadata.tables))
        match db.engine.dialect.name:
            case "postgresql":
                unit.connection.exec_driver_sql(f"ANALYZE {tables}")
            case "mysql" | "mariadb":
                unit.connection.exec_driver_sql(f"ANALYZE TABLE {tables}").all()


def _of_sqlite(rows: Sequence[Any], *, is_ordered: bool) -> Plan:
    lines = [row.detail for row in rows]
    found = [match for match in map(_SQLITE_STEP.match, lines) if match is not None]
    cuts = {row.parent for row in rows if row.detail in (f"CO-ROUTINE {_CUT}", f"MATERIALIZE {_CUT}")}
    sorts = any(row.detail == "USE TEMP B-TREE FOR ORDER BY" and row.parent not in cuts for row in rows)
    walks_keys = is_ordered and not sorts
    steps = [Step(step["table"], _index_of_sqlite(step, walks_keys=walks_keys), step["by"] or "") for step in found]
    return Plan("\n".join(lines), steps, sorts)


def _index_of_sqlite(step: re.Match[str], *, walks_keys: bool) -> str:
    """Return the name of an index; a table that lies in its key is walked as one where the order asks for that."""
    if "VIRTUAL TABLE INDEX" in step.string:
        return "virtual"
    table = Base.metadata.tables.get(step["table"])
    if walks_keys and not step["name"] and table is not None and not table.dialect_options["sqlite"]["with_rowid"]:
        return "PRIMARY KEY"
    return step["name"] if step["name"] and step["name"] != "AUTOMATIC" else ""


def _of_postgresql(root: Json) -> Plan:
    nodes = list(_nodes(root, ""))
    steps = [
        Step(table, node.get("Index Name", ""), node.get("Index Cond", ""))
        for node, table in nodes
        if "Index Name" in node or node["Node Type"] == "Seq Scan"
    ]
    return Plan(json.dumps(root, indent=1), steps, sorts=any(node["Node Type"] == "Sort" for node, _table in nodes))


def _nodes(node: Json, above: str) -> Iterator[tuple[Json, str]]:
    """Yield each node with its table, which a bitmap's index has from the node above."""
    table = node.get("Relation Name", above)
    yield node, table
    for inner in node.get("Plans", ()):
        yield from _nodes(inner, table)


def _of_mariadb(root: Json) -> Plan:
    members = list(_members(root))
    steps = [_step_of_mariadb(value) for name, value in members if name == "table" and "access_type" in value]
    sorts = any(name == "filesort" and not _first_table(value).startswith("<") for name, value in members)
    return Plan(json.dumps(root, indent=1), steps, sorts)


def _first_table(node: Json) -> str:
    """Return the name of what a step reads first."""
    return next((value["table_name"] for name, value in _members(node) if name == "table"), "")


def _step_of_mariadb(table: Json) -> Step:
    walks = table["access_type"] in ("ALL", "index")
    return Step(table["table_name"], table.get("key", ""), "" if walks else " ".join(table.get("used_key_parts", ())))


def _members(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield all that has a name, at any depth."""
    if isinstance(node, dict):
        yield from node.items()
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _members(inner)
