"""The first limit: Flask, a driver's cursor, bytes by orjson; nothing is validated or logged."""

import orjson
from flask import Flask, Response, request

from benchmarks.peers import rows

app = Flask(__name__)


@app.errorhandler(rows.Refused)
def refuse(error):
    return "", error.status


@app.get("/blog")
def index():
    asked = request.args
    return _answer(rows.page(asked.get("limit", 20), asked.get("sort", "-created_at"), asked.get("title__contains")))


@app.get("/blog/<blog_id>")
def show(blog_id):
    return _answer(rows.get(blog_id))


@app.post("/blog")
def create():
    return _answer(rows.create(_caller(), request.get_data()), 201)


@app.put("/blog/<blog_id>")
def replace(blog_id):
    return _answer(rows.replace(_caller(), blog_id, request.get_data()))


@app.post("/auth/login")
def login():
    return _answer(rows.login(request.get_data()))


@app.get("/auth/me")
def me():
    user = _caller()
    return _answer({"id": user[0], "name": user[1]})


def _caller():
    return rows.caller(request.headers.get("Authorization", ""))


def _answer(content, status=200):
    return Response(orjson.dumps(content), status, mimetype="application/json")
