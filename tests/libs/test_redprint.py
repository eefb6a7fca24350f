"""Declaring and mounting."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask

from application.database import transaction
from application.libs import failure, redprint
from application.libs.error import NotFound
from application.libs.ok import Bare, Envelope
from application.libs.redprint import DeclarationError, Redprint, Surface, machinery
from application.libs.schema import Schema
from tests.contract import specimen

ROOT = Path(__file__).parents[2]


class NameOut(Schema):
    name: str


def show() -> NameOut:
    """Read it."""
    return NameOut(name="a")


def surface(*redprints: Redprint, prefix: str = "/s") -> Surface:
    made = Surface("s", __name__, url_prefix=prefix, dialect=Envelope())
    for each in redprints:
        made.register_blueprint(each)
    return made


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Flask]:
    """Return a function that serves surfaces from an empty database."""

    def build(*surfaces: Surface, **options: Any) -> Flask:
        return specimen.build(f"sqlite:///{tmp_path / 'r.db'}", surfaces=surfaces, **options)

    return build


class TestRedprint:
    @pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete"])
    def test_returns_the_handler_untouched(self, verb: str) -> None:
        made = Redprint("thing", __name__)
        assert getattr(made, verb)("", public=True)(show) is show
        assert made.operations[0].method == verb.upper()
        assert show() == NameOut(name="a")

    def test_refuses_two_handlers_of_one_name(self) -> None:
        made = Redprint("thing", __name__)
        made.get("", public=True)(show)
        with pytest.raises(
            DeclarationError, match=r"show: redprint 'thing' has a handler of this name. Choose another"
        ):
            made.get("/other", public=True)(show)

    @pytest.mark.parametrize(("prefix", "path"), [(None, "/s/thing"), ("/other", "/s/other"), ("", "/s")])
    def test_lies_at_its_prefix(self, serve: Callable[..., Flask], prefix: str | None, path: str) -> None:
        made = Redprint("thing", __name__, url_prefix=prefix)
        made.get("", public=True)(show)
        app = serve(surface(made))
        assert app.test_client().get(path).get_json()["data"] == {"name": "a"}
        assert [item.endpoint for item in machinery(app).mounted] == ["s.thing.show"]

    def test_may_be_mounted_under_another_name(self, serve: Callable[..., Flask]) -> None:
        made = Redprint("thing", __name__)
        made.get("", public=True)(show)
        twice = surface(made)
        twice.register_blueprint(made, name="again", url_prefix="/again")
        app = serve(twice)
        assert {item.endpoint for item in machinery(app).mounted} <= set(app.view_functions)
        assert app.test_client().get("/s/again").status_code == 200

    def test_takes_a_handler_over_from_another(self, serve: Callable[..., Flask]) -> None:
        first, second = Redprint("thing", __name__), Redprint("thing", __name__)
        first.get("", public=True)(show)
        second.get("", public=True)(show)
        other = Surface("t", __name__, url_prefix="/t", dialect=Bare())
        other.register_blueprint(second)
        client = serve(surface(first), other).test_client()
        assert client.get("/s/thing").get_json()["data"] == client.get("/t/thing").get_json()

    def test_must_be_on_a_surface(self, serve: Callable[..., Flask]) -> None:
        made = Redprint("thing", __name__)
        made.get("", public=True)(show)
        app = serve()
        with pytest.raises(DeclarationError, match="'thing' is mounted on no Surface; register it on one"):
            app.register_blueprint(made)

    def test_may_not_hide_in_a_plain_blueprint(self, serve: Callable[..., Flask]) -> None:
        made, plain = Redprint("thing", __name__), Blueprint("plain", __name__)
        made.get("", public=True)(show)
        plain.register_blueprint(made)
        with pytest.raises(DeclarationError, match="on no Surface"):
            serve().register_blueprint(plain)

    def test_keeps_flasks_own_route(self, serve: Callable[..., Flask]) -> None:
        made = Redprint("thing", __name__)
        made.route("/raw")(lambda: "raw")
        assert serve(surface(made)).test_client().get("/s/thing/raw").text == "raw"


class TestInitApp:
    def test_comes_first(self) -> None:
        with pytest.raises(DeclarationError, match="Call redprint.init_app"):
            Flask("bare").register_blueprint(surface())

    def test_leaves_other_applications_alone(self, serve: Callable[..., Flask]) -> None:
        serve(surface())
        assert "id" not in Flask("bare").url_map.converters


class TestFailurePrefix:
    def test_is_the_longest_surface(self, serve: Callable[..., Flask]) -> None:
        outer = Surface("outer", __name__, url_prefix="/api", dialect=Envelope())
        inner = Surface("inner", __name__, url_prefix="/api/jobs", dialect=Bare())
        client = serve(outer, inner).test_client()
        assert client.get("/api/jobs/none").content_type == "application/json"
        assert client.get("/api/jobsworth").content_type == "application/problem+json"
        assert client.get("/apiary").content_type == "text/html"

    def test_needs_a_page_elsewhere(self) -> None:
        app = Flask("bare")
        redprint.init_app(app, transaction=transaction, identify=specimen.identify, retry_on=NotFound)
        failure.init_app(app, page=specimen.page)
        assert app.test_client().get("/x").text == "<p>404 </p>"


SNIPPET = '''
from application.libs.redprint import Redprint
from application.libs.schema import Schema

class Out(Schema):
    """Show it."""
    name: str

thing = Redprint("thing", __name__)

@thing.get("/<key>", public=True, answer=Out, errors=[], status=200, transaction=False)
def show(key: str) -> Out:
    """Read it."""
    return Out(name=key)

name: str = show("a").name
'''


class TestTyping:
    def test_tells_a_right_declaration_from_a_wrong_one(self, tmp_path: Path) -> None:
        (tmp_path / "right.py").write_text(SNIPPET)
        (tmp_path / "misspelt.py").write_text(SNIPPET.replace("public=", "pubic="))
        (tmp_path / "wrong.py").write_text(SNIPPET.replace("status=200", "status='200'"))
        (tmp_path / "lost.py").write_text(SNIPPET.replace("name: str = show(", "name: int = show("))
        command = [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            *map(str, sorted(tmp_path.glob("*.py"))),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
        found = {Path(line.split(":")[0]).stem: line for line in done.stdout.splitlines() if ": error:" in line}
        assert found.keys() == {"misspelt", "wrong", "lost"}, done.stdout + done.stderr
        assert 'Unexpected keyword argument "pubic"' in found["misspelt"]
        assert '"status"' in found["wrong"]
        assert "Incompatible types in assignment" in found["lost"]
