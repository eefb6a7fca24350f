"""Let Schemathesis attack the real server with everything the API document allows and forbids.

`python -m tests.contract.fuzzing` (which `make fuzz` calls) does it at length, tests/contract/test_fuzz.py in short.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.server import PASSWORD, ROOT, Server
from tests.services import DATABASES, fresh_database

ADMIN = "admin"
DOCUMENTS = ("/api/v1/openapi.json", "/api/v2/openapi.json")
ACCESS_SECONDS = 86_400  # a run may take longer than a token lasts
_PROGRAM = Path(sys.executable).parent / "schemathesis"
_CONFIG = Path(__file__).with_name("schemathesis.toml")


REFUSED = {
    "POST /api/v1/auth/login-by-code": "nobody guesses a code",
    "POST /api/v1/auth/register": "nobody guesses a code",
    "POST /api/v1/auth/reset": "nobody guesses a code",
    "POST /api/v1/contact": "nobody guesses a code",
    "DELETE /api/v1/contact/{contact_id}": "a contact would have to be there",
    "POST /api/v1/factor/confirm": "nobody guesses a code",
    "POST /api/v1/factor/recovery-codes": "nobody guesses a code",
    "POST /api/v1/factor/turn-off": "nobody guesses a code",
    "DELETE /api/v1/user/{user_id}/factor": "a user with a second factor would have to be hit",
    "GET /api/v1/file/{file_id}/download": "nobody guesses a signature",
    "POST /api/v1/file/{file_id}/upload": "nobody guesses a signature",
    "GET /api/v1/file/{file_id}/thumbnail": "only an image has one, and bytes by chance are none",
    "POST /api/v1/file/{file_id}/confirmation": "nothing was uploaded, for that wants a signature",
    "POST /api/v1/file/{file_id}/restore": "a file that was just deleted would have to be hit",
    "POST /api/v1/task/{task_id}/cancel": "a task that has not ended would have to be hit",
    "POST /api/v1/task/{task_id}/retry": "a task that has ended badly would have to be hit",
    "POST /scheduler/start": "a cluster always refuses it",
    "POST /scheduler/shutdown": "a cluster always refuses it",
    "POST /scheduler/quarantine/{job_id}/repair": "no request can bring a job into quarantine",
    "POST /scheduler/runs/{run_id}/cancel": "the runs of the functions there are end before anybody could cancel one",
}
"""Operations that need not succeed once, in any version, each with the reason; their successes have other tests."""


@dataclass(frozen=True)
class Outcome:
    """Hold what one run against one document came to."""

    exit_code: int
    output: str
    seconds: float
    seed: int | None
    generated: int
    answers: Mapping[str, Mapping[int, int]]
    """How often each operation answered with each status."""

    def never_successful(self) -> list[str]:
        """List the operations that never answered 2xx: nothing was learnt about them."""
        hopeless = [label for label, counts in self.answers.items() if _successes(counts) == 0]
        return [label for label in hopeless if label.replace(" /api/v2/", " /api/v1/") not in REFUSED]

    def share(self) -> float:
        """Return the share of answers that were 2xx."""
        return sum(map(_successes, self.answers.values())) / max(1, sum(sum(c.values()) for c in self.answers.values()))

    def summary(self) -> str:
        """Return the run in one line."""
        answered = f"{self.share():.0%} answered 2xx"
        return f"{self.generated} requests in {self.seconds:.0f} s, {answered}; SEED={self.seed}"

    def table(self) -> str:
        """Return a line an operation: how many answers, the share of 2xx, and all statuses."""
        lines = []
        for label, counts in self.answers.items():
            total = sum(counts.values())
            statuses = " ".join(f"{status}×{count}" for status, count in sorted(counts.items()))
            lines.append(f"{label:<50}{total:>7}{_successes(counts) / total:>7.0%}  {statuses}")
        return "\n".join(lines)


def _successes(counts: Mapping[int, int]) -> int:
    return sum(count for status, count in counts.items() if status // 100 == 2)


@contextmanager
def serving(database: str, folder: Path) -> Iterator[Server]:
    """Serve an empty database with an administrator; what names an address comes from there (`fuzz_hooks.py`)."""
    with fresh_database(database, folder) as url:
        options: dict[str, object] = {"rate_limits_enabled": 0, "access_seconds": ACCESS_SECONDS, "proxy_hops": 1}
        server = Server(folder, async_mode="threading", database_url=url, **options)
        for command in ("upgrade", "create-admin"):
            done = server.manage(command)
            assert done.returncode == 0, done.stderr
        server.start()
        try:
            yield server
        finally:
            server.stop()


def fuzz(
    url: str, document: str, folder: Path, *, examples: int, seed: int | None, paths: str | None = None
) -> Outcome:
    """Run all checks in all phases, and return what came out; without a seed nothing is left to chance, or said.

    `paths` is a regular expression; only operations whose path it finds are attacked then.
    """
    answers, report = folder / "answers.json", folder / "report.json"
    command = [
        str(_PROGRAM), "--config-file", str(_CONFIG), "run", url + document,
        "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(examples),
        "--continue-on-failure", "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    if seed is None:
        command += ["--generation-deterministic"]
    else:
        command += ["--seed", str(seed), "--generation-database", "none"]
    if paths is not None:
        command += ["--include-path-regex", paths]
    elif document != DOCUMENTS[0]:  # what is the same as in the first need not be tried again in short
        command += ["--include-path-regex", "/v2/blog"] if seed is None else ["--exclude-path-regex", "^/scheduler"]
    token = str(_call(url, "POST", "/auth/login", body={"name": ADMIN, "password": PASSWORD})["token"])
    sessions = _call(url, "GET", "/session", token=token)
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": "tests.contract.fuzz_hooks",
        "FUZZ_URL": url,
        "FUZZ_ADMIN": ADMIN,
        "FUZZ_PASSWORD": PASSWORD,
        "FUZZ_TOKEN": token,
        "FUZZ_SESSION_ID": next(str(session["id"]) for session in sessions if session["is_current"]),
        "FUZZ_ADMIN_ID": str(_call(url, "GET", "/auth/me", token=token)["id"]),
        "FUZZ_ANSWERS": str(answers),
    }
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, text=True, check=False, stdout=subprocess.PIPE if seed is None else None,
        stderr=subprocess.STDOUT if seed is None else None,
    )  # fmt: skip
    _call(url, "GET", "/auth/me", token=token)  # fails if the run lost its caller: what came after would be 401 only
    counted: dict[str, dict[int, int]] = {}
    for label, status, count in json.loads(answers.read_text()) if answers.exists() else ():
        counted.setdefault(label, {})[status] = count
    generated = json.loads(report.read_text())["test_cases"]["generated"] if report.exists() else 0
    return Outcome(done.returncode, done.stdout or "", time.monotonic() - began, seed, generated, counted)


def documents(url: str) -> list[str]:
    """List the documents that are served."""
    return [path for path in DOCUMENTS if _is_served(url + path)]


def _is_served(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=10):
            return True
    except urllib.error.HTTPError:
        return False


def _call(url: str, method: str, path: str, *, body: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/v1{path}", data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]


def main() -> int:
    """Fuzz at length, on each database in turn; the exit code is 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=int(os.environ.get("EXAMPLES", "200")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", secrets.randbelow(2**32))))
    parser.add_argument("--paths", default=os.environ.get("PATHS"), help="a regular expression: only these paths")
    arguments = parser.parse_args()
    failed = False
    for database in DATABASES:
        with tempfile.TemporaryDirectory() as folder, serving(database, Path(folder)) as server:
            for document in documents(server.url):
                _say(f"{document} on {database}, {arguments.examples} examples an operation, SEED={arguments.seed}")
                outcome = fuzz(
                    server.url,
                    document,
                    server.folder,
                    examples=arguments.examples,
                    seed=arguments.seed,
                    paths=arguments.paths,
                )
                _say(outcome.table())
                _say(outcome.summary())
                for label in outcome.never_successful():
                    _say(f"{label} never answered 2xx")
                failed = failed or outcome.exit_code != 0 or bool(outcome.never_successful())
    return int(failed)


def _say(line: str) -> None:
    sys.stdout.write(f"\n{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
