"""Bodies that end before they should."""

import io

import pytest

from application.libs.request_body import Body, BodyBrokenError


class Broken:
    """Be a stream whose server finds the framing broken."""

    def read(self, _size: int) -> bytes:
        raise OSError("bad chunk")


def _body(content: bytes, length: int | None) -> Body:
    return Body(io.BytesIO(content), length, (OSError,))


class TestRead:
    @pytest.mark.parametrize("length", [6, None])
    def test_gives_a_whole_body(self, length: int | None) -> None:
        assert _body(b"abcdef", length).read() == b"abcdef"

    def test_stops_at_the_declared_length(self) -> None:
        body = _body(b"abcdefNEXT", 6)
        assert (body.read(4), body.read(), body.read()) == (b"abcd", b"ef", b"")

    def test_refuses_a_body_that_ends_early(self) -> None:
        with pytest.raises(BodyBrokenError):
            _body(b"abc", 6).read()

    def test_refuses_what_the_server_finds_broken(self) -> None:
        with pytest.raises(BodyBrokenError):
            Body(Broken(), None, (OSError,)).read()


class TestReadline:
    @pytest.mark.parametrize("length", [7, None])
    def test_gives_lines(self, length: int | None) -> None:
        assert list(_body(b"one\ntwo", length)) == [b"one\n", b"two"]

    def test_keeps_a_limit(self) -> None:
        assert _body(b"abcdef\n", 7).readline(3) == b"abc"

    def test_refuses_a_line_that_ends_early(self) -> None:
        with pytest.raises(BodyBrokenError):
            _body(b"abc", 6).readline()


class TestReadlines:
    def test_gives_all_lines(self) -> None:
        assert _body(b"one\ntwo\n", 8).readlines(1) == [b"one\n", b"two\n"]
