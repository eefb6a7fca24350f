"""Name the mistakes a developer can make when declaring a handler."""

from collections.abc import Iterable
from difflib import get_close_matches

_PEERS = {
    "response_model": "Name the wire schema with `answer=`",
    "response": "Name the wire schema with `answer=`",
    "methods": "Name the method by the verb: `@….post(…)`",
    "status_code": "Name it with `status=`",
    "responses": "Name the refusals with `errors=`",
    "dependencies": "Name what the caller must hold with `permission=`",
    "summary": "Write it as the docstring's first line",
    "description": "Write it in the docstring, below the first line",
    "tags": "The redprint is the tag: `Redprint(…, tag=…)`",
    "endpoint": "The handler's name is the endpoint's",
    "payload": "Call it `body`",
    "data": "Call it `body`",
    "json": "Call it `body`",
    "item": "Call it `body`",
    "params": "Call it `query`",
    "args": "Call it `query`",
    "file": "Take it through `files`",
    "self": "Declare a function, not a method",
    "cls": "Declare a function, not a method",
    "request": "Take what it brings through these names, or import `flask.request`",
}
"""What Flask, FastAPI and their like call it, and how it is said here."""


class StartRefused(Exception):
    """The application cannot start as it is; the text is one line that says what is wrong, where, and the cure."""


class DeclarationError(StartRefused, TypeError):
    """A handler is declared in a way that cannot work; the message says the cure."""


def mistake(where: str, what: str, cure: str) -> DeclarationError:
    """Return the error for a handler: where it is, what is wrong, what to do."""
    return DeclarationError(f"{where}: {what}. {cure}")


def said_here(word: str) -> str:
    """Return how a word of Flask's or of other frameworks is said here; empty where it is none."""
    return _PEERS.get(word, "")


def guess(word: str, known: Iterable[str]) -> str:
    """Return the question whether a known word was meant, with a blank behind; empty where none is near."""
    near = get_close_matches(word, list(known), n=1)
    return f"Did you mean `{near[0]}`? " if near else ""
