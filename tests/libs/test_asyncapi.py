"""The document of a Socket.IO namespace."""

from typing import Any

from jsonschema import Draft7Validator

from application.libs import asyncapi
from application.libs.asyncapi import Acknowledgements, Events, Replies
from application.libs.schema import Int32, Schema


class PingIn(Schema):
    """Ask for a number."""

    number: Int32


class PongOut(Schema):
    """Give a number back."""

    number: Int32


class Echo:
    """Give back what comes."""

    takes: Events = {"ping": PingIn}
    gives: Events = {"pong": PongOut, "news": PongOut}
    replies: Replies = {"ping": ("pong",)}
    acknowledges: Acknowledgements = {"ping": {"echoed": PongOut}}

    def on_ping(self) -> None:
        """Answer at once."""


def written(**options: Any) -> dict[str, Any]:
    return asyncapi.document(Echo, address="/echo", title="Echo", version="1", description="Hello.", **options)


class TestDocument:
    def test_says_what_goes_either_way(self) -> None:
        operations = written()["operations"]
        assert {name: operation["action"] for name, operation in operations.items()} == {
            "ping": "receive",
            "send_pong": "send",
            "send_news": "send",
        }
        assert operations["ping"]["summary"] == "Answer at once."
        assert operations["ping"]["reply"]["messages"] == [
            {"$ref": "#/channels/echo/messages/pong"},
            {"$ref": "#/channels/echo/messages/echoed"},
        ]
        assert "reply" not in operations["send_pong"]

    def test_describes_the_channel(self) -> None:
        channel = written()["channels"]["echo"]
        assert (channel["address"], channel["description"]) == ("/echo", "Give back what comes.")
        assert channel["messages"].keys() == {"ping", "pong", "news", "echoed"}

    def test_shows_what_messages_hold(self) -> None:
        made = written()
        for message in made["components"]["messages"].values():
            schema = {**message["payload"], "components": made["components"]}
            Draft7Validator(schema).validate(message["examples"][0]["payload"])
            assert not Draft7Validator(schema).is_valid({"number": "one"})

    def test_is_translated_all_through(self) -> None:
        made = written(translate=str.upper)
        assert made["info"]["description"] == "HELLO."
        assert made["components"]["messages"]["pong"]["summary"] == "GIVE A NUMBER BACK."
        assert made["components"]["schemas"]["PongOut"]["description"] == "GIVE A NUMBER BACK."
        assert made["operations"]["ping"]["summary"] == "ANSWER AT ONCE."
