"""Find every list that the first version of the API and the scheduler serve."""

from flask import Flask

from application.libs.redprint import Mounted, machinery

SURFACES = ("/api/v1/", "/scheduler")


def lists_of(app: Flask) -> dict[str, Mounted]:
    """Return every operation that answers a page, by its address."""
    return {
        rule.rule: item
        for item in machinery(app).mounted
        for rule in app.url_map.iter_rules(item.endpoint)
        if item.operation.answer.is_page and rule.rule.startswith(SURFACES)
    }
