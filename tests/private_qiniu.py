"""Speak like Qiniu, as its documents say and no further: `python -m tests.private_qiniu PORT` serves one bucket.

It checks every signature by itself and knows none of our code; files are held in memory.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from werkzeug.formparser import parse_form_data

ACCESS_KEY, SECRET_KEY, BUCKET = "qiniu-access", "qiniu-secret", "files"
ROOT = Path(__file__).parents[1]
FILES: dict[str, tuple[bytes, str, int]] = {}


def sign(text: str) -> str:
    return base64.urlsafe_b64encode(hmac.new(SECRET_KEY.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Handler(BaseHTTPRequestHandler):
    """Answer uploads at /, management at /stat, /move, /delete and /list, downloads below /d."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        if self.path == "/":
            return self.upload()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return self.manage()

    def do_GET(self) -> None:
        if self.path.startswith("/d/"):
            return self.download()
        return self.answer(200) if self.path == "/ready" else self.manage()

    def upload(self) -> None:
        environ = {
            "wsgi.input": self.rfile,
            "CONTENT_TYPE": self.headers["Content-Type"],
            "CONTENT_LENGTH": self.headers["Content-Length"],
            "REQUEST_METHOD": "POST",
        }
        _stream, form, files = parse_form_data(environ)
        access_key, given, written = form["token"].split(":")
        if access_key != ACCESS_KEY or given != sign(written):
            return self.answer(401, {"error": "bad token"})
        policy = json.loads(base64.urlsafe_b64decode(written))
        content, media_type = files["file"].read(), files["file"].mimetype
        if policy["deadline"] < time.time():
            return self.answer(401, {"error": "expired token"})
        if policy["scope"] != f"{BUCKET}:{form['key']}" or media_type not in policy["mimeLimit"].split(";"):
            return self.answer(403, {"error": "not in the policy"})
        if not policy["fsizeMin"] <= len(content) <= policy["fsizeLimit"]:
            return self.answer(413, {"error": "size"})
        FILES[form["key"]] = (content, media_type, time.time_ns() // 100)
        return self.answer(200, {"key": form["key"]})

    def download(self) -> None:
        bare, _, token = self.path.partition("&token=")
        parts = urlsplit(bare)
        query = parse_qs(parts.query)
        host = f"http://{self.headers['Host']}"
        if unquote(token) != f"{ACCESS_KEY}:{sign(host + bare)}" or int(query["e"][0]) < time.time():
            return self.answer(401, {"error": "bad token"})
        found = FILES.get(unquote(parts.path.removeprefix("/d/")))
        if found is None:
            return self.answer(404, {"error": "Document not found"})
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        headers = {"Content-Type": found[1]}
        if "attname" in query:
            headers["Content-Disposition"] = f'attachment; filename="{query["attname"][0]}"'
        return self.send(206 if first else 200, found[0][first:], headers)

    def manage(self) -> None:
        if self.headers.get("Authorization") != f"QBox {ACCESS_KEY}:{sign(self.path + chr(10))}":
            return self.answer(401, {"error": "bad token"})
        parts = urlsplit(self.path)
        action, *entries = parts.path.strip("/").split("/")
        keys = [base64.urlsafe_b64decode(entry).decode().removeprefix(f"{BUCKET}:") for entry in entries[:2]]
        if action == "list":
            return self.listed(parse_qs(parts.query).get("marker", [""])[0])
        if keys[0] not in FILES:
            return self.answer(612, {"error": "no such file or directory"})
        content, media_type, kept = FILES[keys[0]]
        if action == "stat":
            return self.answer(200, {"fsize": len(content), "mimeType": media_type, "putTime": kept})
        del FILES[keys[0]]
        if action == "move":
            FILES[keys[1]] = (content, media_type, kept)
        return self.answer(200)

    def listed(self, marker: str) -> None:
        """Give two at a time, so that a bucket has several pages."""
        keys = sorted(key for key in FILES if key > marker)
        items = [{"key": key, "putTime": FILES[key][2]} for key in keys[:2]]
        more = {"marker": keys[1]} if len(keys) > 2 else {}
        self.answer(200, {"items": items, **more})

    def answer(self, status: int, body: dict[str, Any] | None = None) -> None:
        self.send(status, json.dumps(body or {}).encode(), {"Content-Type": "application/json"})

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status, "as asked")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def private_qiniu(port: int) -> Iterator[str]:
    """Start the server and leave none behind; return its address."""
    address = f"http://127.0.0.1:{port}"
    program = [sys.executable, "-m", "tests.private_qiniu", str(port)]
    with subprocess.Popen(program, cwd=ROOT) as process:
        try:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    urllib.request.urlopen(f"{address}/ready", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield address
        finally:
            process.kill()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
