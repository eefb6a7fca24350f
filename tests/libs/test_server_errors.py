"""The stream for errors of a request, opened by who uses it."""

import io

from application.libs.server_errors import opened_late


class TestOpenedLate:
    def test_opens_nothing_until_it_is_used(self) -> None:
        opened: list[object] = []
        stream = io.StringIO()

        def open_stream(config: object) -> io.StringIO:
            opened.append(config)
            return stream

        errors = opened_late(open_stream)("settings")
        assert opened == []
        errors.write("a")
        errors.writelines(["b", "c"])
        errors.flush()
        assert stream.getvalue() == "abc"
        assert opened == ["settings"]

    def test_is_one_for_each_request(self) -> None:
        open_errors = opened_late(lambda _config: io.StringIO())
        first, second = open_errors(None), open_errors(None)
        first.write("first")
        assert (first.getvalue(), second.getvalue()) == ("first", "")
