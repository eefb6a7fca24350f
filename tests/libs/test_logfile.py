import os
import re
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.config.setting import ROOT
from application.libs.logfile import LogFile, escaped, word

WRITER = """
import sys
from pathlib import Path
from application.libs.logfile import LogFile

name, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
file = LogFile(path, max_bytes=16_384, backups=900)
print("ready", flush=True)
sys.stdin.read()
for number in range(count):
    file.write(f"{name} {number} {'x' * (number % 90)} end\\n".encode())
file.close()
"""


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogFile]:
    file = LogFile(tmp_path / "application.log", max_bytes=4096, backups=2)
    yield file
    file.close()


def lines_of(folder: Path) -> list[str]:
    return [line for path in folder.glob("application.log*") for line in path.read_text().splitlines()]


class TestRotation:
    def test_loses_and_tears_no_line_of_four_processes(self, tmp_path: Path) -> None:
        count = 12_000
        gate, opener = os.pipe()  # all wait for its end, so all write at once
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, name, str(tmp_path / "application.log"), str(count)],
                cwd=ROOT,
                stdin=gate,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in "abcd"
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        os.close(gate)
        os.close(opener)
        errors = [process.communicate(timeout=100)[1] for process in processes]

        assert errors == [""] * 4
        lines = lines_of(tmp_path)
        assert all(re.fullmatch(r"[a-d] \d+ x* end", line) for line in lines)
        seen = Counter(tuple(line.split()[:2]) for line in lines)
        assert seen == Counter({(name, str(number)): 1 for name in "abcd" for number in range(count)})
        assert len(list(tmp_path.glob("application.log.*"))) > 40

    def test_keeps_as_many_files_as_asked_none_much_too_large(self, tmp_path: Path, log: LogFile) -> None:
        for number in range(2000):
            log.write(f"{number:05}\n".encode())

        kept = sorted(path.name for path in tmp_path.glob("application.log*"))
        assert kept == ["application.log", "application.log.1", "application.log.2"]
        assert all((tmp_path / name).stat().st_size <= 4096 + 256 + 6 for name in kept)
        newest_last = "".join((tmp_path / name).read_text() for name in reversed(kept)).split()
        assert newest_last == [f"{number:05}" for number in range(2000 - len(newest_last), 2000)]

    def test_follows_a_file_that_another_program_moved(
        self, tmp_path: Path, log: LogFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log.write(b"before\n")
        (tmp_path / "application.log").rename(tmp_path / "moved")
        monkeypatch.setattr("application.libs.logfile.CHECK_SECONDS", 0.0)
        log._check_at = 0.0

        log.write(b"after\n")

        assert (tmp_path / "moved").read_bytes() == b"before\n"
        assert (tmp_path / "application.log").read_bytes() == b"after\n"

    def test_leaves_no_thread_with_a_closed_file(self, tmp_path: Path) -> None:
        file = LogFile(tmp_path / "application.log", max_bytes=4096, backups=900)

        def write(name: str) -> None:
            for number in range(2000):
                file.write(f"{name} {number}\n".encode())

        threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        file.close()

        assert Counter(lines_of(tmp_path)) == Counter({f"{name} {n}": 1 for name in "abcd" for n in range(2000)})

    def test_writes_on_where_it_may_not_rotate(
        self, tmp_path: Path, log: LogFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".application.log.lock").mkdir()  # nobody, not even root, opens a directory for writing

        for _ in range(2000):
            log.write(b"12345\n")

        assert (tmp_path / "application.log").stat().st_size == 12_000


class TestWrite:
    def test_makes_the_folder_and_keeps_the_file_from_strangers(self, tmp_path: Path) -> None:
        file = LogFile(tmp_path / "a" / "b" / "application.log", max_bytes=4096, backups=1)
        file.write(b"line\n")
        file.close()

        assert file.path.read_bytes() == b"line\n"
        assert file.path.stat().st_mode & 0o007 == 0

    def test_does_not_pass_the_file_on_to_programs(self, log: LogFile) -> None:
        log._reopen()

        assert os.get_inheritable(log._descriptor) is False

    def test_tells_the_standard_error_what_the_disk_refuses(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = LogFile(Path("/dev/full"), max_bytes=4096, backups=1)
        file.write(b"a line\n")
        file.close()

        assert capsys.readouterr().err == "a line\n"

    def test_tells_the_standard_error_when_it_is_closed(self, log: LogFile, capsys: pytest.CaptureFixture[str]) -> None:
        log.close()
        log.close()
        log.write(b"late\n")

        assert capsys.readouterr().err == "late\n"

    def test_begins_a_new_line_after_a_torn_one(self, tmp_path: Path) -> None:
        program = (
            "import resource, signal; from pathlib import Path; from application.libs.logfile import LogFile\n"
            f"file = LogFile(Path({str(tmp_path / 'application.log')!r}), max_bytes=4096, backups=1)\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))\n"
            "file.write(b'first 1234567890\\n')\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
            "file.write(b'second\\n'); file.write(b'third\\n')\n"
        )

        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=60, check=True)

        assert (tmp_path / "application.log").read_bytes() == b"first 1234\nsecond\nthird\n"
        assert done.stderr == b"first 1234567890\n"


class TestEscaped:
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("plain, 连接成功", "plain, 连接成功"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\x1b[31mred\x7f\x9b", r"\u001b[31mred\u007f\u009b"),
            ("a\u2028b\u202ec\ud800", r"a\u2028b\u202ec\ud800"),
            ("\U000e0001", r"\udb40\udc01"),
        ],
    )
    def test_leaves_one_harmless_line(self, text: str, line: str) -> None:
        assert escaped(text) == line


class TestWord:
    @pytest.mark.parametrize(
        ("text", "one"),
        [
            ("ann", "ann"),
            ("", '""'),
            ("ann lee", '"ann lee"'),
            ('a"b\\c', r'"a\"b\\c"'),
            ("x\nremote=1", r'"x\nremote=1"'),
        ],
    )
    def test_is_one_word(self, text: str, one: str) -> None:
        assert word(text) == one
