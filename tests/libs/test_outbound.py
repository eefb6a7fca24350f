"""Calling URLs of others: which addresses are public, and what comes of a call."""

import ipaddress
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from application.libs.delivery import TemporaryFailure
from application.libs.outbound import MOST_BYTES, Answer, Outbound, Refused, is_public
from tests.http_receiver import Receiver, receiver
from tests.libs.outbound_kit import NAME, Names, local, post
from tests.port import free_port


class TestIsPublic:
    @pytest.mark.parametrize(
        "address",
        [
            "8.8.8.8",
            "203.0.114.1",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ],
    )
    def test_accepts_what_the_whole_world_reaches(self, address: str) -> None:
        assert is_public(address)

    @pytest.mark.parametrize(
        "address",
        [
            str(ipaddress.IPv4Address(0)),
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.31.255.255",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:0:808:808::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fe80::1%eth0",
            "fec0::1",
            "ff02::1",
        ],
    )
    def test_refuses_what_only_some_reach(self, address: str) -> None:
        assert not is_public(address)


class TestPost:
    def test_delivers_body_and_headers(self, four: Receiver) -> None:
        four.statuses, four.body = [201], b"thanks"
        answer = local().post(f"http://127.0.0.1:{four.port}/in?a=1", b'{"a":1}', {"X-Own": "x"}, timeout_seconds=5)
        assert answer == Answer(status=201, body=b"thanks")
        (received,) = four.received
        assert (received.path, received.body) == ("/in?a=1", b'{"a":1}')
        assert (received.headers["host"], received.headers["x-own"]) == (f"127.0.0.1:{four.port}", "x")
        assert received.headers["accept-encoding"] == "identity"

    def test_reaches_ipv6(self, six: Receiver) -> None:
        assert post(local(), f"http://[::1]:{six.port}?x").status == 204
        assert (six.received[0].path, six.received[0].headers["host"]) == ("/?x", f"[::1]:{six.port}")

    def test_tries_the_addresses_of_a_name_in_turn(self, four: Receiver) -> None:
        assert post(local(resolve=Names(["127.0.0.2", "127.0.0.1"])), f"http://{NAME}:{four.port}/").status == 204

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
    def test_refusals_are_for_good(self, four: Receiver, status: int) -> None:
        four.statuses = [status]
        with pytest.raises(Refused, match=f"^127.0.0.1 answered {status}$"):
            post(local(), f"http://127.0.0.1:{four.port}/")

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    def test_what_may_pass_is_for_later(self, four: Receiver, status: int) -> None:
        four.statuses = [status]
        with pytest.raises(TemporaryFailure, match=f"^127.0.0.1 answered {status}$"):
            post(local(), f"http://127.0.0.1:{four.port}/")

    def test_reads_no_more_of_an_answer_than_it_may(self, four: Receiver) -> None:
        four.statuses, four.body = [200], b"x" * 50_000_000
        answer = post(local(), f"http://127.0.0.1:{four.port}/")
        assert (answer.status, len(answer.body)) == (200, MOST_BYTES)

    @pytest.mark.parametrize(
        ("broken", "body"),
        [(b"Content-Length: 10\r\n\r\nabc", b"abc"), (b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", b"")],
    )
    def test_takes_the_status_for_the_answer_when_the_body_breaks_off(
        self, four: Receiver, broken: bytes, body: bytes
    ) -> None:
        four.drips = b"HTTP/1.1 200 OK\r\n" + broken
        assert post(local(), f"http://127.0.0.1:{four.port}/") == Answer(status=200, body=body)

    @pytest.mark.parametrize("drips", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200, b"x"])
    def test_of_no_http_fails(self, four: Receiver, drips: bytes) -> None:
        four.drips = drips
        with pytest.raises(TemporaryFailure, match="^127.0.0.1 does not speak HTTP as it should$"):
            post(local(), f"http://127.0.0.1:{four.port}/")

    @pytest.mark.timed
    @pytest.mark.parametrize("drips", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 60])
    def test_gives_a_slow_server_up_in_time(self, four: Receiver, drips: bytes) -> None:
        four.drips, four.pauses_seconds = drips, 0.1 if drips else 2.0
        started_at = time.monotonic()
        with pytest.raises(TemporaryFailure, match="^127.0.0.1 did not answer in time$"):
            post(local(), f"http://127.0.0.1:{four.port}/", timeout_seconds=0.5)
        assert time.monotonic() - started_at < 1.5

    @pytest.mark.timed
    def test_gives_a_slow_body_up_in_time(self, four: Receiver) -> None:
        four.drips = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + b"x" * 60
        four.pauses_seconds = 0.02
        started_at = time.monotonic()
        assert post(local(), f"http://127.0.0.1:{four.port}/", timeout_seconds=1.3).status == 200
        assert time.monotonic() - started_at < 2

    def test_fails_where_nobody_listens(self) -> None:
        with pytest.raises(TemporaryFailure, match="^127.0.0.1 cannot be reached$"):
            post(local(), f"http://127.0.0.1:{free_port()}/")

    def test_fails_for_a_name_that_nobody_knows_yet(self) -> None:
        outbound = Outbound([NAME], resolve=Names())
        assert outbound.check_url(f"https://{NAME}/") == f"https://{NAME}/"
        with pytest.raises(TemporaryFailure, match=f"^{NAME} has no address now$"):
            post(outbound, f"https://{NAME}/")


def authority(folder: Path, *names_of_server: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server of these names, and of clients that trust its authority."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    def make(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)

    itself = ["-subj", "/CN=Test CA", "-addext", "keyUsage=critical,keyCertSign"]  # what RFC 5280 asks of an authority
    make("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", *itself, "-days", "2")
    make("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server")
    alternatives = ",".join(f"DNS:{name}" for name in names_of_server)
    extensions = f"subjectAltName={alternatives}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
    (folder / "names.cnf").write_text(extensions, encoding="ascii")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names.cnf", "-days", "2"]
    make("x509", "-req", "-in", "server.csr", *signed, "-out", "server.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem", folder / "server.key")
    return server, ssl.create_default_context(cafile=folder / "ca.pem")


class TestTls:
    def test_checks_the_name_and_not_the_address(self, tmp_path: Path) -> None:
        server, client = authority(tmp_path, NAME)
        local_names = Names(["127.0.0.1"])
        with receiver(tls=server) as listening:
            outbound = Outbound([".example.org"], [".example.org"], resolve=local_names, tls=lambda: client)
            assert post(outbound, f"https://{NAME}:{listening.port}/").status == 204
            with pytest.raises(
                TemporaryFailure, match="^other.example.org has no valid certificate: Hostname mismatch"
            ):
                post(outbound, f"https://other.example.org:{listening.port}/")
            assert (len(listening.received), listening.connects) == (1, 2)

    def test_trusts_no_unknown_authority(self, tmp_path: Path) -> None:
        server, _client = authority(tmp_path, NAME)
        with receiver(tls=server) as listening:
            outbound = Outbound([NAME], [NAME], resolve=Names(["127.0.0.1"]))
            with pytest.raises(TemporaryFailure, match=f"^{NAME} has no valid certificate: "):
                post(outbound, f"https://{NAME}:{listening.port}/")
            assert listening.received == []

    def test_says_so_where_there_is_none(self, four: Receiver) -> None:
        with pytest.raises(TemporaryFailure, match="^127.0.0.1 does not speak TLS as it should$"):
            post(local(), f"https://127.0.0.1:{four.port}/")
