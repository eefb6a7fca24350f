"""What mypy --strict says of declarations: right ones pass untouched, a slip is an error before anything runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

RIGHT = '''
from uuid import UUID

from flask import Response

from application.libs.error import NotFound
from application.libs.page import Page
from application.libs.record import Record
from application.libs.redprint import Redprint
from application.libs.schema import Name, PageQuery, Schema, Upload


class Gone(NotFound):
    """It is gone."""

class Row(Record):
    """Hold it."""
    name: str

class Out(Schema):
    """Show it."""
    name: str

class In(Schema):
    """Take it."""
    name: Name

class Files(Schema):
    """Take a file."""
    photo: Upload

thing = Redprint("thing", __name__)
later = Redprint("thing", __name__, predecessor=thing)

@thing.get("", public=True, answer=Out)
def index(query: PageQuery) -> Page[Row]:
    """Give a page of records."""
    return Page([Row("a")], limit=query.limit)

@thing.post("", status=201, permission="thing:write", answer=Out, errors=[Gone])
def create(body: In) -> Row:
    """Take a body."""
    return Row(name=body.name)

@thing.get("/<id:key>/<int:number>/<uuid:other>/<float:size>", answer=Out)
def places(key: str, number: int, other: UUID, size: float) -> list[Row]:
    """Take every kind of path parameter, give a list of records."""
    return []

@thing.get("/<key>", errors=(Gone,))
def show(key: str, query: PageQuery, headers: In) -> Out:
    """Take query and headers, give a schema."""
    return Out(name=headers.name)

@thing.put("/form", transaction=False)
def fill(form: In, files: Files) -> list[Out]:
    """Take a form with files, give a list of schemas."""
    return [Out(name=form.name)]

@thing.delete("/<key>")
def delete(key: str) -> None:
    """Give nothing."""

@thing.patch("/<key>/image", status=202)
def draw(key: str) -> Response:
    """Give a response."""
    return Response(key)

@later.instead_of(create, answer=Out)
def create_later(body: In) -> Row:
    """Take another body."""
    return create(body)

later.take_over(index, show, permission="thing:read")

for handler in (thing, later):
    print(handler.name)
'''

SIGNATURES = {
    "index": "def (query: application.libs.schema.PageQuery) -> application.libs.page.Page[right.Row]",
    "create": "def (body: right.In) -> right.Row",
    "places": "def (key: str, number: int, other: uuid.UUID, size: float) -> list[right.Row]",
    "show": "def (key: str, query: application.libs.schema.PageQuery, headers: right.In) -> right.Out",
    "fill": "def (form: right.In, files: right.Files) -> list[right.Out]",
    "delete": "def (key: str)",
    "draw": "def (key: str) -> flask.wrappers.Response",
    "create_later": "def (body: right.In) -> right.Row",
}
"""What `reveal_type` must say of each handler: the decorator gave it back as it was."""

SLIPS = {
    "misspelt": (
        'status=201, permission="thing:write"',
        'permision="thing:write"',
        "call-arg",
        'Unexpected keyword argument "permision"',
    ),
    "misspelt_in_successor": (
        "(create, answer=Out)",
        "(create, anwser=Out)",
        "call-arg",
        'Unexpected keyword argument "anwser"',
    ),
    "misspelt_in_taking_over": (
        "show, permission=",
        "show, permision=",
        "call-arg",
        'Unexpected keyword argument "permision"',
    ),
    "loose_option_of_flask": (
        "public=True, answer",
        "methods=[], answer",
        "call-arg",
        'Unexpected keyword argument "methods"',
    ),
    "status_as_text": ("status=201", 'status="201"', "arg-type", 'Argument "status" to "post"'),
    "public_as_text": ("public=True", 'public="yes"', "arg-type", 'Argument "public" to "get"'),
    "permission_as_number": ('permission="thing:write"', "permission=7", "arg-type", 'Argument "permission" to "post"'),
    "a_record_for_an_answer": (
        "public=True, answer=Out",
        "public=True, answer=Row",
        "arg-type",
        'Argument "answer" to "get"',
    ),
    "an_instance_for_an_answer": (
        "public=True, answer=Out",
        'public=True, answer=Out(name="a")',
        "arg-type",
        'Argument "answer" to "get"',
    ),
    "one_error_for_a_list": ("errors=[Gone]", "errors=Gone", "arg-type", 'Argument "errors" to "post"'),
    "an_exception_for_an_error": ("errors=[Gone]", "errors=[ValueError]", "list-item", "List item 0"),
    "a_schema_for_a_record": (
        "return Row(name=body.name)",
        "return Out(name=body.name)",
        "return-value",
        "Incompatible return value type",
    ),
    "an_unknown_field_of_a_record": (
        "Row(name=body.name)",
        "Row(nane=body.name)",
        "call-arg",
        'Unexpected keyword argument "nane"',
    ),
    "an_unknown_field_of_the_body": (
        "Row(name=body.name)",
        "Row(name=body.nane)",
        "attr-defined",
        'has no attribute "nane"',
    ),
    "a_handler_called_amiss": ("return create(body)", "return create(body.name)", "arg-type", 'Argument 1 to "create"'),
    "an_answer_read_amiss": (
        "print(handler.name)",
        "print(create(In(name='a')).size)",
        "attr-defined",
        'has no attribute "size"',
    ),
    "no_handler": ("take_over(index, show,", 'take_over(index, "show",', "arg-type", 'Argument 2 to "take_over"'),
}
"""One slip a file: what is replaced by what, and the code and message that mypy must give."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return what mypy says by file, of all files in one run; its cache is the one of `make check`."""
    folder = tmp_path_factory.mktemp("declarations")
    (folder / "right.py").write_text(RIGHT)
    reveals = "".join(f"reveal_type(right.{name})\n" for name in SIGNATURES)
    (folder / "revealed.py").write_text(f"import right\n\n{reveals}")
    for name, (before, after, _code, _message) in SLIPS.items():
        assert RIGHT.count(before) == 1, name
        (folder / f"{name}.py").write_text(RIGHT.replace(before, after))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, sorted(folder.glob("*.py")))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.stderr == ""
    lines: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if ": note: " not in line or "Revealed type" in line:
            lines.setdefault(Path(line.split(":")[0]).stem, []).append(line)
    return lines


class TestDeclaration:
    def test_passes_when_it_is_right(self, said: dict[str, list[str]]) -> None:
        assert "right" not in said, said

    def test_leaves_every_signature_as_it_was(self, said: dict[str, list[str]]) -> None:
        revealed = [re.sub(r'^.*Revealed type is "(.*)"$', r"\1", line) for line in said["revealed"]]
        assert dict(zip(SIGNATURES, revealed, strict=True)) == SIGNATURES

    @pytest.mark.parametrize("name", SLIPS)
    def test_fails_at_a_slip(self, said: dict[str, list[str]], name: str) -> None:
        _before, _after, code, message = SLIPS[name]
        assert len(said[name]) == 1, said[name]
        assert said[name][0].endswith(f"[{code}]")
        assert message in said[name][0]
