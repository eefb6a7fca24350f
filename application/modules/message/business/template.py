"""List the templates of messages: what each wants to be told, and what of that is secret.

A new one is a folder in `templates/message` and a line here; `manager.py message preview NAME` shows it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from application.config.language import TRANSLATORS
from application.libs.message_template import MessageTemplates, Written
from application.libs.record import Record
from application.libs.redaction import MASK
from application.libs.strict_json import is_int64, printable

Value = str | int | float | bool | None

MOST_TEXT = 10_000
"""Characters of one parameter; the rest of a longer one is cut off, as an error's text may have any length."""


class UnknownTemplate(LookupError):
    """There is no such template for this channel."""


class WrongParameters(TypeError):
    """The parameters are not those of the template."""


class Template(Record):
    """Hold a template: the names of its parameters with a sample of each, and which of them are secret."""

    name: str
    sample: Mapping[str, Value]
    secret: frozenset[str] = frozenset()


TEMPLATES = {
    template.name: template
    for template in (
        Template("address_taken", {}),
        Template("code", {"code": "204816", "minutes": 10}, frozenset({"code"})),
        Template(
            "job_alert",
            {
                "job_id": "prune-runs",
                "name": "Prune the ledger of runs",
                "kind": "failure",
                "status": "failed",
                "count": 3,
                "error": "OperationalError: the database is away",
                "link": "https://redprint.example.org/jobs/prune-runs",
            },
        ),
        Template("contact_added", {"address": "+4915112345678"}),
        Template("password_changed", {}),
        Template(
            "password_reset",
            {
                "code": "204816",
                "minutes": 5,
                "link": "https://redprint.example.org/reset-password?token=kq5cF0pXlDk1T2o8mS9sYvJ3uQbR7wZaE6nHtGxIyLM",
                "link_minutes": 30,
            },
            frozenset({"code", "link"}),
        ),
        Template("test", {}),
    )
}

WRITER = MessageTemplates(Path(__file__).parents[1] / "templates" / "message", TRANSLATORS)


def find(name: str, channel: str) -> Template:
    """Return a template that messages of a channel are written from; raise `UnknownTemplate`, which names them."""
    found = TEMPLATES.get(name)
    if found is None or not _serves(name, channel):
        known = ", ".join(sorted(other for other in TEMPLATES if _serves(other, channel)))
        raise UnknownTemplate(f"There is no template {name!r} for {channel}; there are {known}")
    return found


def checked(template: Template, given: Mapping[str, Any]) -> dict[str, Value]:
    """Return the parameters as they are kept; raise `WrongParameters` for one too few, too many, or of another kind.

    Text is cut to `MOST_TEXT` characters and cleared of what no database holds.
    """
    missing, unknown = template.sample.keys() - given.keys(), given.keys() - template.sample.keys()
    if missing or unknown:
        said = [f"wants {', '.join(sorted(missing))}"] if missing else []
        said += [f"knows no {', '.join(sorted(unknown))}"] if unknown else []
        raise WrongParameters(f"Template {template.name!r} {' and '.join(said)}")
    return {name: _plain(template, name, value) for name, value in given.items()}


def write(template: Template, channel: str, language: str, values: Mapping[str, Value]) -> Written:
    """Write a message."""
    compose = WRITER.mail if channel == "mail" else WRITER.sms
    return compose(template.name, language, values)


def masked_subject(template: Template, language: str, values: Mapping[str, Value]) -> str:
    """Write the subject of a mail for those who look after mail: what is secret in it is masked."""
    return WRITER.subject(template.name, language, {**values, **dict.fromkeys(template.secret, MASK)})


def _serves(name: str, channel: str) -> bool:
    return WRITER.has_mail(name) if channel == "mail" else WRITER.has_sms(name)


def _plain(template: Template, name: str, value: object) -> Value:
    if isinstance(value, str):
        text = printable(str(value))
        return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and is_int64(value)):
        return value
    cure = "give text, a number, true, false or None"
    raise WrongParameters(f"Parameter {name!r} of template {template.name!r} is of type {type(value).__name__}; {cure}")
