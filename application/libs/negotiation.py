"""Decide whether the client takes what is answered and sends what can be read (RFC 9110 §8.3, §8.4, §12.5.1).

What a header means is worked out once for each of its values and remembered: clients send the same few all day.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Response
from werkzeug.http import parse_accept_header, parse_options_header

from application.libs.current import current_request
from application.libs.error import NotAcceptable, UnsupportedMediaType

View = Callable[..., Response]

JSON = "application/json"

_MOST_REMEMBERED = 256  # values of a header; a bound because any client may invent them

_CHARSETS = ("utf-8", "utf8", "us-ascii")


def negotiated(view: View, offered: tuple[str, ...]) -> View:
    """Return the view that is asked only where the client takes its answer."""

    def asked(**path: Any) -> Response:
        require_acceptable(offered)
        return view(**path)

    return asked


def require_acceptable(offered: tuple[str, ...] = (JSON,)) -> None:
    """Raise NotAcceptable where `Accept` admits no answer of these media types, the first of which is its own."""
    accept = current_request().environ.get("HTTP_ACCEPT")
    if accept is not None and not admits(accept, offered):
        raise NotAcceptable(f"This answers {' or '.join(offered)}: name it in Accept, or leave Accept out")


@lru_cache(_MOST_REMEMBERED)
def admits(accept: str, offered: tuple[str, ...]) -> bool:
    """Tell whether an `Accept` admits an answer of the first media type, or takes it as one of the others.

    The closest range counts, and `q=0` excludes: the first type by its own name also from being taken as another.
    Parameters as in `application/json;charset=utf-8` are not compared, for JSON has none. A header that names nothing
    admits everything, as none does.
    """
    weights: dict[str, float] = {}
    for value, weight in parse_accept_header(accept.replace("q=.", "q=0.")):  # Java's HttpURLConnection says `q=.2`
        media_range = value.partition(";")[0].strip().lower()
        weights[media_range] = max(weight, weights.get(media_range, 0))
    if weights.get(offered[0]) == 0:
        return False
    return not weights or any(_weight(weights, media_type) > 0 for media_type in offered)


def _weight(weights: dict[str, float], media_type: str) -> float:
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*", "*")
    return next((weights[media_range] for media_range in ranges if media_range in weights), 0)


def require_readable(media_types: tuple[str, ...]) -> None:
    """Raise UnsupportedMediaType where the body is said to be of another media type, or in another charset."""
    request = current_request()
    if not is_readable(request.environ.get("CONTENT_TYPE") or "", media_types):
        taken = ", ".join(media_types)
        raise UnsupportedMediaType(
            f"Send the body as `Content-Type: {' or '.join(media_types)}`, in UTF-8",
            headers={"Accept": taken} | ({"Accept-Patch": taken} if request.method == "PATCH" else {}),  # RFC 5789 §2.2
        )


@lru_cache(_MOST_REMEMBERED)
def is_readable(content_type: str, media_types: tuple[str, ...]) -> bool:
    """Tell whether a body of this `Content-Type` is JSON of the kind that is read.

    JSON is UTF-8 and its media type has no charset (RFC 8259 §8.1, §11); one that contradicts is not ignored, or text
    in it would be stored wrong where it happens to be UTF-8 too.
    """
    media_type, parameters = parse_options_header(content_type)
    return media_type.lower() in media_types and parameters.get("charset", "utf-8").lower() in _CHARSETS


def require_no_coding() -> None:
    """Raise UnsupportedMediaType for a body that is compressed, and say what is taken (RFC 9110 §15.5.16)."""
    coding = current_request().environ.get("HTTP_CONTENT_ENCODING")
    if coding and coding.strip().lower() != "identity":
        raise UnsupportedMediaType(
            "Send the body as it is, without Content-Encoding", headers={"Accept-Encoding": "identity"}
        )
