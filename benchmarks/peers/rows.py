"""The two limits' data access: a cursor of the driver, kept per thread, and nothing above it."""

import os
import sqlite3
import threading
from datetime import UTC, datetime

import orjson
import psycopg
from psycopg.types.string import TextLoader

from benchmarks.peers import security

URL = os.environ["DATABASE_URL"]
IS_SQLITE = URL.startswith("sqlite")
BLOG = (
    "SELECT b.id, b.title, b.content, b.status, b.published_at, b.owner_id, u.name, b.created_at, b.updated_at "
    'FROM blog b JOIN "user" u ON u.id = b.owner_id'
)
ONE = f"{BLOG} WHERE b.id = ?"
TAGS = "SELECT t.id, t.name FROM blog_tag bt JOIN tag t ON t.id = bt.tag_id WHERE bt.blog_id = ? ORDER BY t.name"
ORDERS = {"-created_at": "b.created_at DESC, b.id DESC", "title": "b.title, b.id"}
BY_TOKEN = (
    'SELECT s.access_expires_at, u.id, u.name FROM session s JOIN "user" u ON u.id = s.user_id '
    "WHERE s.access_digest = ?"
)
BY_NAME = 'SELECT id, password_hash FROM "user" WHERE name = ?'
INSERT = (
    "INSERT INTO blog (id, owner_id, title, content, status, published_at, created_at, updated_at) "
    "VALUES (?, ?, ?, ?, 'published', ?, ?, ?)"
)
INSERT_TAG = "INSERT INTO blog_tag (blog_id, tag_id) VALUES (?, ?)"
UPDATE = "UPDATE blog SET title = ?, content = ?, updated_at = ? WHERE id = ?"
DELETE_TAGS = "DELETE FROM blog_tag WHERE blog_id = ?"

_local = threading.local()


class Refused(Exception):
    """Carry the status of a refusal."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


def run(statement, values=()):
    """Run a statement outside of a transaction unless one was begun."""
    connection = _connection()
    return connection.execute(statement if IS_SQLITE else statement.replace("%", "%%").replace("?", "%s"), values)


def run_many(statement, rows):
    """Run a statement for many rows."""
    if IS_SQLITE:
        _connection().executemany(statement, rows)
    else:
        _connection().cursor().executemany(statement.replace("?", "%s"), rows)


def _connection():
    try:
        return _local.connection
    except AttributeError:
        _local.connection = _open()
        return _local.connection


def _open():
    if not IS_SQLITE:
        connection = psycopg.connect(URL.replace("+psycopg", ""), autocommit=True)
        connection.adapters.register_loader("uuid", TextLoader)
        return connection
    connection = sqlite3.connect(URL.removeprefix("sqlite:///"), isolation_level=None, cached_statements=256)
    for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class Writing:
    """Be a transaction that writes."""

    def __enter__(self):
        run("BEGIN IMMEDIATE" if IS_SQLITE else "BEGIN")

    def __exit__(self, error, *_rest):
        run("ROLLBACK" if error else "COMMIT")


def get(blog_id):
    row = run(ONE, (blog_id,)).fetchone()
    if row is None:
        raise Refused(404)
    return blog(row, [{"id": tag[0], "name": tag[1]} for tag in run(TAGS, (blog_id,))])


def page(limit, sort, contains):
    where, values = "b.status = 'published'", []
    if contains is not None:
        where, values = f"{where} AND b.title LIKE ?", [f"%{contains}%"]
    found = run(f"{BLOG} WHERE {where} ORDER BY {ORDERS[sort]} LIMIT {int(limit)}", values).fetchall()
    marks = ",".join("?" * len(found))
    tags = {}
    if found:
        named = run(
            f"SELECT bt.blog_id, t.id, t.name FROM blog_tag bt JOIN tag t ON t.id = bt.tag_id "
            f"WHERE bt.blog_id IN ({marks}) ORDER BY t.name",
            [row[0] for row in found],
        )
        for blog_id, tag_id, name in named:
            tags.setdefault(blog_id, []).append({"id": tag_id, "name": name})
    return [blog(row, tags.get(row[0], [])) for row in found]


def blog(row, tags):
    return {
        "id": row[0],
        "title": row[1],
        "content": row[2],
        "status": row[3],
        "published_at": row[4],
        "owner": {"id": row[5], "name": row[6]},
        "tags": tags,
        "created_at": row[7],
        "updated_at": row[8],
    }


def caller(authorization):
    found = run(BY_TOKEN, (security.digest(authorization.removeprefix("Bearer ")),)).fetchone()
    if found is None or found[0] <= moment():
        raise Refused(401)
    return found[1], found[2]


def create(user, raw):
    body, blog_id, at = orjson.loads(raw), security.new_id(), moment()
    with Writing():
        run(INSERT, (blog_id, user[0], body["title"], body["content"], at, at, at))
        run_many(INSERT_TAG, [(blog_id, tag) for tag in body["tags"]])
    return get(blog_id)


def replace(user, blog_id, raw):
    body = orjson.loads(raw)
    with Writing():
        if get(blog_id)["owner"]["id"] != user[0]:
            raise Refused(403)
        run(UPDATE, (body["title"], body["content"], moment(), blog_id))
        run(DELETE_TAGS, (blog_id,))
        run_many(INSERT_TAG, [(blog_id, tag) for tag in body["tags"]])
    return get(blog_id)


def login(raw):
    body = orjson.loads(raw)
    user = run(BY_NAME, (body["name"],)).fetchone()
    if user is None or not security.is_right(user[1], body["password"]):
        raise Refused(401)
    token, columns = security.new_session(user[0])
    values = [_stored(value) for value in columns.values()]
    run(f"INSERT INTO session ({', '.join(columns)}) VALUES ({','.join('?' * len(values))})", values)
    return {"token": token, "token_type": "bearer"}


def moment():
    return _stored(datetime.now(UTC))


def _stored(value):
    return value.isoformat(timespec="microseconds") if IS_SQLITE and isinstance(value, datetime) else value
