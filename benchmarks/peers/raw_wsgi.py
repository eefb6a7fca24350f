"""The second limit: a WSGI function, a driver's cursor, bytes by orjson."""

from urllib.parse import parse_qs

import orjson

from benchmarks.peers import rows

STATUSES = {200: "200 OK", 201: "201 Created", 401: "401 Unauthorized", 403: "403 Forbidden", 404: "404 Not Found"}


def app(environ, start_response):
    try:
        status, content = answer(environ)
        body = orjson.dumps(content)
    except rows.Refused as refused:
        status, body = refused.status, b""
    start_response(STATUSES[status], [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def answer(environ):
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if path.startswith("/blog/"):
        if method == "GET":
            return 200, rows.get(path[6:])
        return 200, rows.replace(_caller(environ), path[6:], _body(environ))
    if path == "/blog":
        if method == "POST":
            return 201, rows.create(_caller(environ), _body(environ))
        asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        content = rows.page(asked.get("limit", 20), asked.get("sort", "-created_at"), asked.get("title__contains"))
        return 200, content
    if path == "/auth/login":
        return 200, rows.login(_body(environ))
    if path == "/auth/me":
        user = _caller(environ)
        return 200, {"id": user[0], "name": user[1]}
    raise rows.Refused(404)


def _caller(environ):
    return rows.caller(environ.get("HTTP_AUTHORIZATION", ""))


def _body(environ):
    return environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
