"""Files through the real server, in every mode: long ones both ways, and small images by the runner."""

from io import BytesIO
from typing import Any

import psutil
import pytest
import requests
from PIL import Image

from tests.e2e.conftest import ASYNC_MODES, Serve
from tests.e2e.server import PASSWORD, Server
from tests.libs.image_kit import image
from tests.waiting import wait_until

MOST = 10 * 1024 * 1024


def signed_in(served: Server) -> dict[str, str]:
    body = {"name": "admin", "password": PASSWORD}
    answer = requests.post(f"{served.url}/api/v1/auth/login", json=body, timeout=10)
    return {"Authorization": f"Bearer {answer.json()['data']['token']}"}


def send(served: Server, content: bytes, media_type: str, headers: dict[str, str]) -> requests.Response:
    files = {"file": ("a", content, media_type)}
    return requests.post(f"{served.url}/api/v1/file", files=files, headers=headers, timeout=30)


@pytest.mark.parametrize("mode", ASYNC_MODES)
class TestFile:
    def test_goes_there_and_back(self, server: Serve, mode: str) -> None:
        served = server(async_mode=mode)
        assert served.manage("create-admin").returncode == 0
        served.await_runner()
        headers = signed_in(served)
        content = b"0123456789abcdef" * (MOST // 16)
        before = memory(served)
        sent = send(served, content, "text/plain", headers)
        assert sent.status_code == 201, sent.text
        url = f"{served.url}/api/v1/file/{sent.json()['data']['id']}/content"
        assert requests.get(url, headers=headers, timeout=30).content == content
        part = requests.get(url, headers={**headers, "Range": f"bytes={MOST - 16}-"}, timeout=30)
        assert (part.status_code, part.content) == (206, b"0123456789abcdef")
        assert memory(served) - before < MOST * 2
        assert send(served, content + b"x", "text/plain", headers).status_code == 413
        assert send(served, b"a", "text/plain", {}).status_code == 401
        assert send(served, b"a", "text/plain", headers).status_code == 201

    def test_gets_its_small_image(self, server: Serve, mode: str) -> None:
        served = server(async_mode=mode)
        assert served.manage("create-admin").returncode == 0
        served.await_runner()
        headers = signed_in(served)
        sent: Any = send(served, image("JPEG", (900, 300)), "image/jpeg", headers).json()["data"]
        url = f"{served.url}/api/v1/file/{sent['id']}/thumbnail"
        wait_until(lambda: requests.get(url, headers=headers, timeout=10).status_code == 200, 30, served.said)
        answer = requests.get(url, headers=headers, timeout=10)
        with Image.open(BytesIO(answer.content)) as small:
            assert small.size == (320, 107)


def memory(served: Server) -> int:
    """Return the bytes that the server's web processes hold."""
    master = psutil.Process(served.process.pid)
    web = [master, *(child for child in master.children() if "runner" not in child.cmdline())]
    return sum(int(process.memory_info().rss) for process in web)
