"""What is answered now, past Flask's proxies."""

import pytest
from flask import Flask, current_app, g, request

from application.libs.current import current_application, current_notes, current_request


class TestCurrent:
    def test_is_what_the_proxies_stand_for(self) -> None:
        app = Flask("specimen")
        with app.test_request_context("/shop?after=1"):
            assert current_request().args["after"] == "1"
            assert type(current_request()) is app.request_class
            assert current_request() == request
            assert current_application() is app
            assert current_app == app
            current_notes().name = "kept"
            assert g.name == "kept"

    def test_is_refused_where_there_is_none(self) -> None:
        for find in (current_request, current_application, current_notes):
            with pytest.raises(RuntimeError, match="Working outside of"):
                find()

    def test_is_the_request_of_each_context(self) -> None:
        app = Flask("specimen")
        with app.test_request_context("/outer"):
            with app.test_request_context("/inner"):
                assert current_request().path == "/inner"
            assert current_request().path == "/outer"
