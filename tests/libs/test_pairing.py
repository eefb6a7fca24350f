"""What a change is paired with; over HTTP in tests/contract/test_precondition.py."""

import pytest
from flask import Response

from application.libs.declaration import DeclarationError
from application.libs.operation import Operation, read_operation
from application.libs.pairing import paired
from application.libs.schema import Int32, Schema


class ItemOut(Schema):
    id: str


class PageIn(Schema):
    number: Int32 = 1


def show(item: str) -> ItemOut:
    """Read it."""
    return ItemOut(id=item)


def show_page(item: str, query: PageIn) -> ItemOut:
    """Read a page of it."""
    return ItemOut(id=f"{item}{query.number}")


def index() -> list[ItemOut]:
    """List them."""
    return []


def download(item: str) -> Response:
    """Send its bytes."""
    return Response(item)


def replace(key: str) -> None:
    """Replace it."""


def create() -> ItemOut:
    """Create one."""
    return ItemOut(id="1")


CREATE = read_operation(create, "POST", "", status=201)
INDEX = read_operation(index, "GET", "")
PUT = read_operation(replace, "PUT", "/<key>")
SHOW = read_operation(show, "GET", "/<item>")

ITEM = "/thing/<string:>"


class TestPaired:
    @pytest.mark.parametrize("read", [SHOW, read_operation(show_page, "GET", "/<item>")])
    def test_knows_what_get_answers_at_the_address(self, read: Operation) -> None:
        assert paired(PUT, ITEM, {ITEM: read}).current is read

    @pytest.mark.parametrize("reads", [{}, {"/thing": SHOW}, {ITEM: read_operation(download, "GET", "/<item>")}])
    def test_knows_nothing_where_no_tag_is_given(self, reads: dict[str, Operation]) -> None:
        assert paired(PUT, ITEM, reads).current is None

    def test_refuses_a_get_in_units_of_its_own(self) -> None:
        read = read_operation(show, "GET", "/<item>", transaction=False)
        with pytest.raises(
            DeclarationError,
            match=r"replace .*: its `If-Match` cannot be compared with .*show .* /thing.*Drop `transaction=False` of",
        ):
            paired(PUT, ITEM, {ITEM: read})

    def test_passes_over_it_beside_a_post(self) -> None:
        read = read_operation(index, "GET", "", transaction=False)
        assert paired(CREATE, "/thing", {"/thing": read}).current is None
        assert paired(CREATE, "/thing", {"/thing": INDEX}).current is INDEX

    def test_knows_where_a_new_item_is(self) -> None:
        assert paired(CREATE, "/thing", {"/thing": INDEX, ITEM: SHOW}).created is SHOW

    @pytest.mark.parametrize("rule", ["/other/<string:>", "/thing/<string:>/all", "/thing/new"])
    def test_looks_for_a_new_item_right_below(self, rule: str) -> None:
        assert paired(CREATE, "/thing", {rule: SHOW}).created is None

    def test_leaves_a_read_as_it_is(self) -> None:
        assert paired(SHOW, ITEM, {ITEM: SHOW}) is SHOW
