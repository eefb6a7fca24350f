"""Serve documents in the language their reader asks for."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Flask, Response
from flask_babel import get_locale

from application.libs.current import current_request
from application.libs.negotiation import require_acceptable

Translate = Callable[[str], str]
"""Return a text in the reader's language; it is called for every text of a document, and with nothing else."""

Translators = Mapping[str, Translate]
"""By language (RFC 5646), the first one for readers of none of them."""


def untranslated(text: str) -> str:
    """Return the text as it is in the source: English."""
    return text


ENGLISH: Translators = {"en": untranslated}


def spoken_language() -> str:
    """Return the language of whoever sent the request, for what they are sent later; English where none is ours."""
    locale = get_locale()
    return "en" if locale is None else str(locale.language)


def serve(
    app: Flask,
    rule: str,
    endpoint: str,
    write: Callable[[Translate], Any],
    translators: Translators | None = None,
) -> None:
    """Answer a JSON document at an address; it is written at the first request in each language."""
    known = translators or ENGLISH
    default = next(iter(known))
    written: dict[str, bytes] = {}

    def show() -> Response:
        """Give the document (`Accept-Language`, RFC 9110 §12.5.4)."""
        require_acceptable()
        language = current_request().accept_languages.best_match(known, default=default) or default
        if language not in written:
            written[language] = msgspec.json.encode(write(known[language]))
        response = Response(written[language], content_type="application/json")
        response.headers["Content-Language"] = language
        response.vary.add("Accept-Language")
        return response

    app.add_url_rule(rule, endpoint, show)
