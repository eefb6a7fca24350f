"""Row 18 of the security matrix: nobody makes this server call where it should not (server-side request forgery)."""

from functools import partial
from urllib.parse import urlsplit

import pytest

from application.libs.delivery import TemporaryFailure
from application.libs.outbound import MOST_LETTERS, Outbound, Refused
from tests.http_receiver import Receiver
from tests.libs.outbound_kit import NAME, Names, local, post


def refused(outbound: Outbound, url: str) -> list[str]:
    """Return how both are refused: to check a URL, and to call it."""
    said = []
    for ask in (outbound.check_url, partial(post, outbound)):
        with pytest.raises((Refused, TemporaryFailure)) as error:
            ask(url)
        said.append(f"{type(error.value).__name__}: {error.value}")
    return said


REACHING = (
    "https://127.0.0.1:{four}/",
    "https://localhost:{four}/",
    "https://127.1:{four}/",
    "https://2130706433:{four}/",  # decimal
    "https://0x7f000001:{four}/",
    "https://0x7f.0.0.1:{four}/",
    "https://0177.0.0.1:{four}/",  # octal
    "https://0.0.0.0:{four}/",
    "https://0:{four}/",
    "https://127.0.0.1.:{four}/",
    "https://[::1]:{six}/",
    "https://[0:0:0:0:0:0:0:1]:{six}/",
    "https://[::]:{six}/",
    "https://[::ffff:127.0.0.1]:{four}/",
    "https://[::ffff:7f00:1]:{four}/",
    "https://hooks.example.org:{four}/",  # by DNS
)
"""URLs of this machine, each of which a careless client would call."""

FOREIGN = (
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
)

WRONG = (
    "file:///etc/passwd",
    "gopher://127.0.0.1:{four}/_POST",
    "ftp://hooks.example.org/",
    "dict://hooks.example.org:{four}/",
    "ldap://hooks.example.org/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//hooks.example.org/",
    "hooks.example.org",
    "https:hooks.example.org",
    "https:///path",
    "https://",
    "",
    "https://user@hooks.example.org/",
    "https://user:password@hooks.example.org/",
    "https://hooks.example.org@127.0.0.1:{four}/",
    "https://hooks.example.org\\@127.0.0.1:{four}/",
    "https://127.0.0.1:{four}#@hooks.example.org/",
    "https://hooks.example.org/#fragment",
    "https://hooks.example.org:0/",
    "https://hooks.example.org:65536/",
    "https://hooks.example.org:+80/",
    "https://hooks.example.org:٨٠/",
    "https://hooks.example.org/\r\nX-Evil: 1",
    "https://hooks.example.org/a b",
    "https://hooks.example.org/\x00",
    " https://hooks.example.org/",
    "https://hooks.example.org/\n",
    "https://hooks。example。org/",
    "https://①②⑦.0.0.1/",
    "https://[::1/",
    "https://[fe80::1%25lo]/",
    "https://hooks.example.org/" + "a" * MOST_LETTERS,
)

UNLISTED = (
    "https://evil.example/",
    "https://hooks.example.org.evil.example/",
    "https://evilexample.org/",
    "https://example.com/",
)


class TestForgery:
    @pytest.mark.parametrize("url", [*REACHING, *FOREIGN])
    def test_connects_to_nobody_though_the_host_is_listed(self, four: Receiver, six: Receiver, url: str) -> None:
        url = url.format(four=four.port, six=six.port)
        listed = [str(urlsplit(url).hostname).rstrip(".")]
        outbound = Outbound(listed, resolve=Names(["127.0.0.1"]))
        assert refused(outbound, url) == ["Refused: Its host has an address that is not public"] * 2
        assert (four.connects, six.connects) == (0, 0)

    @pytest.mark.parametrize("url", [*REACHING, *FOREIGN, *UNLISTED])
    def test_calls_no_host_that_is_not_listed(self, four: Receiver, six: Receiver, url: str) -> None:
        url = url.format(four=four.port, six=six.port)
        for hosts in ((), ("elsewhere.example",)):
            outbound = Outbound(hosts, resolve=Names(["127.0.0.1"]))
            assert refused(outbound, url) == ["Refused: Its host is not among those that may be called"] * 2
        assert (four.connects, six.connects) == (0, 0)

    @pytest.mark.parametrize("url", WRONG)
    def test_refuses_what_is_no_plain_url(self, four: Receiver, url: str) -> None:
        url = url.format(four=four.port)
        assert all(said.startswith("Refused: ") for said in refused(local(resolve=Names(["127.0.0.1"])), url))
        assert four.connects == 0

    def test_refuses_a_name_of_which_one_address_is_private(self, four: Receiver) -> None:
        outbound = Outbound([NAME], resolve=Names(["203.0.114.7", "127.0.0.1"]))
        with pytest.raises(Refused, match="not public"):
            post(outbound, f"https://{NAME}:{four.port}/")
        assert four.connects == 0

    def test_refuses_http_unless_the_host_is_private(self, four: Receiver) -> None:
        with pytest.raises(Refused, match="begins with https://"):
            Outbound([NAME], resolve=Names(["203.0.114.7"])).check_url(f"http://{NAME}/")
        assert local().check_url(f"http://127.0.0.1:{four.port}/") == f"http://127.0.0.1:{four.port}/"
        assert four.connects == 0

    def test_looks_a_name_up_once_and_connects_to_what_it_was_told(self, four: Receiver) -> None:
        changing = Names(["127.0.0.1"], ["127.0.0.2"])
        post(local(resolve=changing), f"http://{NAME}:{four.port}/")
        assert (changing.asked, four.connects) == (1, 1)
        rebinding = Names(["203.0.114.7"], ["127.0.0.1"])
        assert Outbound([NAME], resolve=rebinding).check_url(f"https://{NAME}/")
        with pytest.raises(Refused, match="not public"):  # it has changed between the two
            post(Outbound([NAME], resolve=rebinding), f"https://{NAME}:{four.port}/")
        assert four.connects == 1

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_follows_no_redirect(self, four: Receiver, six: Receiver, status: int) -> None:
        four.statuses = [status]
        four.headers["Location"] = f"http://[::1]:{six.port}/private"
        with pytest.raises(Refused, match=f"127.0.0.1 answered {status}"):
            post(local(), f"http://127.0.0.1:{four.port}/")
        assert (four.connects, six.connects) == (1, 0)

    def test_asks_no_proxy(self, four: Receiver, six: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", f"http://[::1]:{six.port}")
        post(local(), f"http://127.0.0.1:{four.port}/")
        assert (four.connects, six.connects) == (1, 0)
