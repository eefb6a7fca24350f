"""What is installed is what was looked at: pinned, with the hashes of its files, and named in a bill of materials."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
ASKED: dict[str, list[str]] = {
    "requirements.txt": PROJECT["project"]["dependencies"],
    "requirements-dev.txt": [*PROJECT["project"]["dependencies"], *GROUPS["dev"]],
    "requirements-build.txt": GROUPS["build"],
    "requirements-node.txt": GROUPS["node"],
    "benchmarks/requirements.txt": GROUPS["bench"],
}
"""The locks, and what pyproject.toml asks for in each."""

MACHINES = [
    {"python_version": python, "python_full_version": f"{python}.4", "platform_python_implementation": "CPython"}
    | {"implementation_name": "cpython", "sys_platform": system, "platform_system": name, "platform_machine": machine}
    for python in ("3.11", "3.12", "3.13", "3.14")
    for system, name, machine in (
        ("linux", "Linux", "x86_64"),
        ("linux", "Linux", "aarch64"),
        ("darwin", "Darwin", "arm64"),
        ("win32", "Windows", "AMD64"),
    )
]


class Pin(NamedTuple):
    """Say what a lock pins, with which hashes, and whether pyproject.toml asks for it."""

    requirement: Requirement
    hashes: frozenset[str]
    asked: bool

    @property
    def version(self) -> str:
        """Return the one version that fits."""
        return str(self.requirement.specifier).removeprefix("==")

    def fits(self, machine: dict[str, str]) -> bool:
        """Tell whether a machine installs it."""
        return self.requirement.marker is None or self.requirement.marker.evaluate(machine)


def pins(lock: str) -> list[Pin]:
    """Read a lock: a requirement, its hashes on lines of their own, and who asks for it in comments."""
    found = []
    for block in re.split(r"^(?=[^\s#])", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        stated, comments = re.sub(r"^ +#.*\n?", "", block, flags=re.MULTILINE), re.findall(r"^ +#.*", block, re.M)
        requirement, *hashes = re.split(r"\s--hash=", stated.replace("\\\n", " ").strip())
        asked = any("redprint (pyproject.toml" in comment for comment in comments)
        found.append(Pin(Requirement(requirement), frozenset(text.strip() for text in hashes), asked))
    return found


def run_make(*arguments: str) -> str:
    """Call make with the virtual environment that runs the tests, and install nothing."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", f"VENV={sys.prefix}", f"--old-file={sys.prefix}/.installed-dev", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("lock", ASKED)
class TestLock:
    def test_pins_everything_exactly_with_hashes(self, lock: str) -> None:
        loose = [
            str(pin.requirement)
            for pin in pins(lock)
            if not re.fullmatch(r"==[\w.!+]+", str(pin.requirement.specifier))
            or not pin.hashes
            or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in pin.hashes)
        ]
        assert pins(lock) != []
        assert loose == [], "run `make lock`"

    def test_names_no_place_to_fetch_from(self, lock: str) -> None:
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert re.findall(r"^\s*-(?!-hash=).*|\S*://\S*|^\S+ @ .*", text, re.MULTILINE) == []

    def test_holds_what_pyproject_asks_for_and_nothing_it_does_not(self, lock: str) -> None:
        held = [pin for pin in pins(lock) if pin.asked]
        asked = [Requirement(text) for text in ASKED[lock]]
        assert {pin.requirement.name for pin in held} == {wanted.name for wanted in asked}, "run `make lock`"
        missed = [
            str(wanted)
            for wanted in asked
            for pin in held
            if pin.requirement.name == wanted.name
            and not (wanted.specifier.contains(pin.version) and wanted.extras <= pin.requirement.extras)
        ]
        assert missed == [], "run `make lock`"

    def test_pins_one_version_for_each_machine(self, lock: str) -> None:
        for machine in MACHINES:
            counted = Counter(pin.requirement.name for pin in pins(lock) if pin.fits(machine))
            assert [name for name, times in counted.items() if times > 1] == [], machine
            assert {pin.requirement.name for pin in pins(lock) if pin.asked} <= set(counted), machine


class TestLocks:
    def test_of_the_tools_holds_the_runtime_as_it_is(self) -> None:
        tools = {(pin.requirement.name, pin.version): pin for pin in pins("requirements-dev.txt")}
        for pin in pins("requirements.txt"):
            same = tools[pin.requirement.name, pin.version]
            assert (same.hashes, same.requirement.marker) == (pin.hashes, pin.requirement.marker)

    def test_begin_with_the_oldest_python_that_is_supported(self) -> None:
        compiled = re.findall(r"--python-version (\S+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
        assert {f">={version}" for version in compiled} == {PROJECT["project"]["requires-python"]}
        assert f">={MACHINES[0]['python_version']}" == PROJECT["project"]["requires-python"]

    def test_have_the_node_of_the_extra(self) -> None:
        assert GROUPS["node"] == PROJECT["project"]["optional-dependencies"]["frontend"]

    @pytest.mark.parametrize("lock", ["dashboard/package-lock.json", "tests/clients/package-lock.json"])
    def test_of_npm_have_hashes(self, lock: str) -> None:
        packages = json.loads((ROOT / lock).read_text(encoding="utf-8"))["packages"]
        installed = {name: package for name, package in packages.items() if name}
        assert len(installed) > 50
        loose = [name for name, package in installed.items() if not package.get("integrity", "").startswith("sha512-")]
        assert loose == []


class TestInstallation:
    def test_asks_for_hashes_everywhere(self, tmp_path: Path) -> None:
        goals = [f"{tmp_path}/{name}" for name in (".installed", ".installed-dev", ".node")]
        goals.append(f"{tmp_path}-bench/.installed")
        said = run_make("--dry-run", "--always-make", f"VENV={tmp_path}", "NODE_FITS=false", *goals)
        calls = re.findall(r"-m pip install .*", said)
        assert {lock for call in calls for lock in re.findall(r"--requirement (\S+?)[;\s]", f"{call} ")} == set(ASKED)
        assert [call for call in calls if "--require-hashes" not in call] == []
        environments = 2  # in each the tools that build are installed first
        assert sum("--build-constraint requirements-build.txt" in call for call in calls) == len(calls) - environments


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Write the bill of materials, which the tool holds to its schema."""
    file = tmp_path_factory.mktemp("bill") / "new" / "sbom.cdx.json"
    assert run_make("sbom", f"SBOM={file}").strip() == str(file)
    return file.read_bytes()


class TestBillOfMaterials:
    def test_names_every_package_with_version_hashes_and_address(self, bill: bytes) -> None:
        written = json.loads(bill)
        assert (written["bomFormat"], written["metadata"]["component"]["name"]) == ("CycloneDX", "redprint")
        named = {
            component["purl"]: {
                f"sha256:{item['content']}" for place in component["externalReferences"] for item in place["hashes"]
            }
            for component in written["components"]
        }
        pinned = {f"pkg:pypi/{pin.requirement.name}@{pin.version}": pin.hashes for pin in pins("requirements.txt")}
        assert named == pinned
        assert all(item["purl"] == f"pkg:pypi/{item['name']}@{item['version']}" for item in written["components"])

    def test_is_the_same_each_time(self, bill: bytes) -> None:
        command = ["cyclonedx_py", "requirements", "requirements.txt", "--pyproject", "pyproject.toml"]
        options = ["--output-reproducible", "--no-validate"]
        again = subprocess.run([sys.executable, "-m", *command, *options], cwd=ROOT, capture_output=True, check=True)
        assert again.stdout.strip() == bill.strip()

    def test_is_not_committed(self) -> None:
        assert subprocess.run(["git", "check-ignore", "--quiet", "dist/sbom.cdx.json"], cwd=ROOT).returncode == 0
