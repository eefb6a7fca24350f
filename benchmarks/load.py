"""Put a load on a server by wrk, and read how it went."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
MARK = "FIGURES "


class LoadFailed(RuntimeError):
    """The load did not go as it should: requests were refused or broke off, or nothing was told."""


@dataclass(frozen=True)
class Load:
    """Hold how a load went: how many requests in how long, and how long one took."""

    requests: int
    microseconds: int
    p50: int
    p99: int

    @property
    def per_second(self) -> float:
        """Return how many were answered in a second."""
        return self.requests * 1_000_000 / self.microseconds


def read_output(text: str) -> Load:
    """Read what wrk and its script have said; raise `LoadFailed` unless every request was answered well."""
    told = [line.removeprefix(MARK) for line in text.splitlines() if line.startswith(MARK)]
    if len(told) != 1:
        raise LoadFailed(f"wrk told no figures; it said: {text.strip() or 'nothing'}")
    figures = json.loads(told[0])
    refused, broken = figures.pop("refused"), figures.pop("broken")
    if refused or broken or not figures["requests"]:
        raise LoadFailed(f"of {figures['requests']} requests {refused} were refused and {broken} broke off")
    return Load(**figures)


def run_wrk(
    url: str,
    requests: Sequence[tuple[str, str]],
    folder: Path,
    *,
    method: str,
    headers: Mapping[str, str],
    connections: int,
    seconds: int,
) -> Load:
    """Send the requests over and over, on so many connections, for so long."""
    lines = folder / "requests.tsv"
    lines.write_text("".join(f"{path}\t{body}\n" for path, body in requests), encoding="utf-8")
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(SCRIPT)]
    sent = [f"{name}: {value}" for name, value in headers.items()]
    command = ["wrk", *options, url, "--", method, str(lines), *sent]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    return read_output(done.stdout + done.stderr)
