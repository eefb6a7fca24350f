"""Introduce the API to those who read its document; each paragraph is translated like all other texts of it."""

DESCRIPTION = """
The API of Redprint. Requests and answers are JSON; every field of a request is checked, and all faulty ones are
reported at once.

## Signing in

The operation `auth_login` exchanges name and password for a token. Send it as `Authorization: Bearer …`. Operations
that are open to everybody say so, yet refuse a wrong token. Those tagged `scheduler` take name and password by HTTP
Basic too.

Machines send a key in the place of a token: the operation `key_create` makes one. It acts as its user, within the
permissions it was given, and is refused where people are meant.

## Answers

Success is `{"code": 0, "status": "succeed", "data": …}`; lists add `page`. Failures are problem details (RFC 9457)
with a stable `code`, by which clients translate, and `errors`, which names each faulty field. The scheduler answers
as Flask-APScheduler does: the data alone, and `error_message` on failure; its 401
is `Access Denied` as `text/html`.

## Lists

A list gives `limit` items and `page.next`; send that as `after` for the following page, or follow the `Link` header.
New items neither repeat nor hide others while one reads.

A filter is named by its column, `title`, or by column and operator, `title__contains`, `created_at__gte`; several
must all hold. `fields` asks for some members of each item only.

## Safe changes

What GET answers carries an `ETag`. Sent back as `If-None-Match` it spares the same answer (304); sent as `If-Match`
with a change it refuses the change where somebody else was faster (412). A POST under an `Idempotency-Key` may be
repeated: it has one effect, and the same answer for a day. PATCH changes the members that are given (RFC 7396).

## Anywhere

Every answer carries `X-Request-ID`, which leads to the log. Operations that may not be called without end say how
much is left in `RateLimit`, and answer 429 beyond. Beside what an operation lists, the server may answer
400 to what is no proper HTTP, 404 to an unknown address, 405 to another method, 413 to a body that is too large,
431 to headers that are, and 500 where the fault is its own.
"""

SOCKETS = """
Live statistics over Socket.IO. Connect to the namespace with the token in the `auth` payload; who joins nothing is
shown out after a few seconds. Each message is one event with one argument.
"""
