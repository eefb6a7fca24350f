"""Run a server of the test's own that speaks like S3: moto's, over HTTP."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.session import Session

from application.libs.storage.place import S3Place
from tests.port import free_port

START_SECONDS = 30


@contextmanager
def private_s3() -> Iterator[S3Place]:
    """Start the server with an empty bucket, and leave none behind."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    program = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _await(f"{address}/moto-api/", process)
            place = S3Place("files", "key", "secret-of-s3", "us-east-1", address)
            client = Session().client(
                "s3",
                region_name=place.region,
                endpoint_url=address,
                aws_access_key_id=place.access_key_id,
                aws_secret_access_key=place.secret_access_key,
            )
            client.create_bucket(Bucket=place.bucket)
            client.close()
            yield place
        finally:
            process.kill()


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("moto's server did not start")
