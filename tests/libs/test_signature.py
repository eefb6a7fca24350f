"""Slips of a handler's signature: each message says where, what is wrong and the cure."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field

from application.libs.declaration import DeclarationError
from application.libs.operation import read_operation
from application.libs.record import Record
from application.libs.schema import Name, Schema
from application.libs.signature import read_parameters
from tests.libs.test_operation import made


class Row(Record):
    id: str


class RowIn(Schema):
    name: Name


class TwoNames(Schema):
    name: Name = Field(validation_alias="title")


class ByBoth(Schema):
    model_config = ConfigDict(populate_by_name=True)

    name: Name = Field(alias="title")


class Blank(Schema):
    source: Name = Field(alias="X Source")


class Underscored(Schema):
    source: Name = Field(alias="X_Source")


class RowOut(Schema):
    id: str


class TwoNamesOut(Schema):
    id: str = Field(serialization_alias="key")


class ComputedOut(Schema):
    id: str

    @computed_field
    def length(self) -> int:
        """Count."""
        return len(self.id)


class NestingOut(Schema):
    id: str
    within: Annotated[ComputedOut | None, Field(description="x")]


def said_of(handler: Any, *, method: str = "POST", rule: str = "", answer: type[BaseModel] | None = RowOut) -> str:
    with pytest.raises(DeclarationError) as raised:
        if answer is None:
            read_operation(handler, method, rule)
        else:
            read_operation(handler, method, rule, answer=answer)
    return str(raised.value)


class TestReadParameters:
    def test_reads_what_a_rule_and_a_request_give(self) -> None:
        handler = made(key=str, body=RowIn)
        hints = handler.__annotations__
        assert read_parameters(handler, hints, {"key": "id"}, "x") == {"body": RowIn}

    @pytest.mark.parametrize(
        ("parameters", "what", "cure"),
        [
            ({"note_in": RowIn}, "nothing fills the parameter `note_in`", "Call it `body`, or `query` where it reads"),
            ({"payload": RowIn}, "nothing fills the parameter `payload`", "`payload`. Call it `body`"),
            ({"data": str}, "nothing fills the parameter `data`", "`data`. Call it `body`"),
            ({"self": Any}, "nothing fills the parameter `self`", "`self`. Declare a function, not a method"),
            ({"body": list[RowIn]}, "`body` is annotated with list", "Wrap the list in a schema"),
            ({"body": TwoNames}, "TwoNames has fields without one name on the wire", "name: give it one name for both"),
            ({"body": ByBoth}, "ByBoth takes unknown fields", "leave `populate_by_name` of ByBoth's `model_config`"),
            ({"headers": Blank}, "Blank cannot be filled from `headers`", "source: call it by letters, digits and"),
            ({"headers": Underscored}, "cannot be filled from `headers`", 'dashes, such as `alias="X-Source"`'),
        ],
    )
    def test_refuses_with_the_cure(self, parameters: Any, what: str, cure: str) -> None:
        message = said_of(made(Row, **parameters))
        assert what in message
        assert cure in message

    def test_refuses_a_default_that_nothing_uses(self) -> None:
        def create(body: RowIn | None = None) -> None:
            """Create a row."""

        message = said_of(create, answer=None)
        assert "`body` has a default, which nothing uses. Drop it; what may be left out has its default in" in message


class TestRule:
    def test_is_refused_with_braces(self) -> None:
        message = said_of(made(Row, note_id=str), method="GET", rule="/{note_id}")
        assert "its rule '/{note_id}' has a parameter in braces. Write `<id:note_id>`" in message


class TestOption:
    @pytest.mark.parametrize(
        ("option", "cure"),
        [("response_model", "Name the wire schema with `answer=`"), ("methods", "Name the method by the verb")],
    )
    def test_of_another_framework_is_said_as_here(self, option: str, cure: str) -> None:
        options: Any = {option: None}
        with pytest.raises(DeclarationError, match=rf"no option `{option}`\. {cure}.*\. The options are"):
            read_operation(made(Row), "GET", "", **options)


class TestReturn:
    @pytest.mark.parametrize(
        ("returns", "cure"),
        [
            (tuple[RowOut, int], "return the value alone and declare `status=201`"),
            (tuple[RowOut], "it returns a tuple"),
            (Row | None, "where there is nothing, raise a NotFound, and name it in `errors=`"),
            (RowOut | None, "raise a NotFound"),
        ],
    )
    def test_is_refused_as_others_read_it(self, returns: Any, cure: str) -> None:
        assert cure in said_of(made(returns), answer=None)

    def test_may_be_a_tuple_of_many(self) -> None:
        assert read_operation(made(tuple[RowOut, ...]), "GET", "").answer.is_list


class TestCheckNames:
    def test_refuses_an_answer_of_two_names(self) -> None:
        message = said_of(made(Row), answer=TwoNamesOut)
        assert "TwoNamesOut has fields without one name on the wire. id: give it one name for both ways" in message


class NestingRow(Record):
    id: str
    within: Row | None


class TestAnswer:
    @pytest.mark.parametrize(
        ("row", "answer", "names"), [(Row, ComputedOut, "`length`"), (NestingRow, NestingOut, "`within.length`")]
    )
    def test_is_refused_where_the_record_lacks_what_it_computes(self, row: Any, answer: Any, names: str) -> None:
        message = said_of(made(row), answer=answer)
        assert f"{answer.__name__} computes {names}, which the record lacks. Compute it in the rule" in message

    def test_may_compute_what_is_sent_as_it_is(self) -> None:
        assert read_operation(made(ComputedOut), "GET", "").answer.schema is ComputedOut
