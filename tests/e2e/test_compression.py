"""Compression by the real server in all three async modes: lists, files, streams of sockets, tags."""

import gzip
from importlib import import_module

import pytest
import requests
from backports import zstd

from application.libs.compression import MIN_BYTES
from tests.e2e.server import PASSWORD, Server

READERS = {"gzip": gzip.decompress, "br": import_module("brotli").decompress, "zstd": zstd.decompress}


def raw(served: Server, path: str, *, method: str = "GET", **headers: str) -> tuple[requests.Response, bytes]:
    """Ask and return the answer with its bytes as they came over the wire."""
    asked = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = requests.request(method, f"{served.url}{path}", headers=asked, stream=True, timeout=10)
    return answer, answer.raw.read(decode_content=False)


def fill(served: Server, number: int) -> None:
    """Write tags until their list is worth compressing."""
    login = {"name": "admin", "password": PASSWORD}
    token = requests.post(f"{served.url}/api/v1/auth/login", json=login, timeout=10).json()["data"]["token"]
    known = {"Authorization": f"Bearer {token}"}
    for at in range(number):
        answer = requests.post(f"{served.url}/api/v1/tag", json={"name": f"packed {at}"}, headers=known, timeout=10)
        assert answer.status_code in (201, 409)


class TestServer:
    @pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
    def test_compresses_documents_lists_and_files(self, served: Server, coding: str) -> None:
        fill(served, 20)
        for path in ("/api/v1/openapi.json", "/api/v1/tag?limit=100", "/dashboard/plain/plain.css"):
            _, plain = raw(served, path)
            answer, packed = raw(served, path, Accept_Encoding=coding)
            headed, nothing = raw(served, path, method="HEAD", Accept_Encoding=coding)
            assert len(plain) >= MIN_BYTES
            assert answer.headers["Content-Encoding"] == headed.headers["Content-Encoding"] == coding
            assert answer.headers["Vary"].endswith("Accept-Encoding")
            assert answer.headers["Content-Length"] == headed.headers["Content-Length"] == str(len(packed))
            assert nothing == b""
            assert READERS[coding](packed) == plain
            assert len(packed) < len(plain)

    def test_leaves_small_answers_and_failures(self, served: Server) -> None:
        for path in ("/api/v1/blog?q=nothing-of-this-kind", "/api/v1/nothing", "/dashboard/config.json"):
            answer, body = raw(served, path, Accept_Encoding="gzip")
            assert "Content-Encoding" not in answer.headers
            assert body[:1] == b"{"

    def test_leaves_sockets_to_themselves(self, served: Server) -> None:
        answer, body = raw(served, "/socket.io/?EIO=4&transport=polling", Accept_Encoding="gzip, br, zstd")
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers
        assert body[:2] == b"0{"
