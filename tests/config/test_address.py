from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from application.config.address import in_memory, in_temporary_directory, passwords, with_our_driver

ROOT = Path("/srv/redprint")


class TestWithOurDriver:
    @pytest.mark.parametrize(
        "text",
        [
            "postgresql://h/n",
            "postgresql://u@h/n",
            "postgresql://:p@h/n",
            "postgresql://u:p%40%2F@h:1/n?sslmode=require&options=-c%20a",
            "postgresql://u:p/?#[w@h/n",
            "postgresql://u:1/2@[::1]:5432/n",
            "postgresql://u:p@/n?host=/run/postgresql",
            "postgresql:///n?host=a@b",
            "postgresql://h",
            "postgresql://h?application_name=a%26b",
            "mysql://u:p?w@h/n?ssl_ca=/a@b&charset=utf8mb4",
            "sqlite:////srv/a%20b.db?timeout=3",
            "sqlite:///file:a.db?uri=true",
            "sqlite:///:memory:",
            "sqlite://",
        ],
    )
    def test_reads_what_sqlalchemy_reads(self, text: str) -> None:
        read, completed = make_url(text), make_url(with_our_driver(text, root=ROOT))

        assert completed.set(drivername=read.drivername) == read

    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("mysql://u:p@h/n", {}),
            ("mysql://h", {}),
            ("mysql://h/n?ssl_ca=a\n", {"ssl_ca": "a"}),
            ("mysql://u:p?w@h/n?", {}),
            ("mysql://u:p@h/n?ssl_ca=/a@b", {"ssl_ca": "/a@b"}),
        ],
    )
    def test_asks_mysql_for_whole_unicode(self, text: str, query: dict[str, str]) -> None:
        read, completed = make_url(text), make_url(with_our_driver(text, root=ROOT))

        assert completed == read.set(drivername="mysql+pymysql", query={**query, "charset": "utf8mb4"})

    @pytest.mark.parametrize("query", ["charset=latin1", "charset=utf8mb4&charset=latin1"])
    def test_refuses_half_of_unicode(self, query: str) -> None:
        with pytest.raises(ValueError, match="leave charset out"):
            with_our_driver(f"mysql://h/n?{query}", root=ROOT)

    @pytest.mark.parametrize(
        ("text", "file"),
        [
            ("sqlite:///a.db", "/srv/redprint/a.db"),
            ("sqlite:///a%3Fb c+d.db?timeout=3", "/srv/redprint/a?b c+d.db"),
            ("sqlite:///~/a.db", str(Path.home() / "a.db")),
            ("sqlite+pysqlite:////srv/a.db", "/srv/a.db"),
        ],
    )
    def test_puts_a_file_into_the_root(self, text: str, file: str) -> None:
        completed = make_url(with_our_driver(text, root=ROOT))

        assert (completed.drivername, completed.database) == ("sqlite", file)
        assert completed.query == make_url(text).query

    @pytest.mark.parametrize(
        "text", ["", "nonsense", "postgresql:/h/n", "postgresql://h:port/n", "postgresql://h:/n", "mysql://h?x=@a:b"]
    )
    def test_refuses_what_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="DATABASE_URL is no URL"):
            with_our_driver(text, root=ROOT)


class TestInMemory:
    @pytest.mark.parametrize(
        ("url", "answer"),
        [
            ("sqlite://", True),
            ("sqlite:///:memory:", True),
            ("sqlite:///file::memory:?uri=true", True),
            ("sqlite:///file:shared?mode=memory&uri=true", True),
            ("sqlite:////var/lib/application.db", False),
            ("postgresql+psycopg://db/x", False),
        ],
    )
    def test_knows_every_spelling(self, url: str, answer: bool) -> None:
        assert in_memory(url) is answer


class TestInTemporaryDirectory:
    @pytest.mark.parametrize(
        ("url", "answer"),
        [
            ("sqlite:////tmp/a/application.db", True),
            ("sqlite:////var/tmp/application.db", True),
            ("sqlite:////dev/shm/application.db", True),
            ("sqlite:///file:/tmp/application.db?uri=true", True),
            ("sqlite:////srv/tmp/application.db", False),
            ("sqlite:////tmpfiles/application.db", False),
            ("sqlite://", False),
            ("mysql+pymysql://db/tmp", False),
        ],
    )
    def test_knows_the_places(self, url: str, answer: bool) -> None:
        assert in_temporary_directory(url) is answer

    def test_sees_through_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
        (tmp_path / "scratch").mkdir()
        (tmp_path / "data").symlink_to(tmp_path / "scratch")

        assert in_temporary_directory(f"sqlite:///{tmp_path}/data/application.db")


class TestPasswords:
    @pytest.mark.parametrize(
        ("url", "found"),
        [
            ("redis://:a%2Fb@h/0", {"a%2Fb", "a/b"}),
            ("amqp://u:plain@h//", {"plain"}),
            ("postgresql+psycopg://u:a/b@h/n", {"a/b", "a%2Fb"}),
            ("postgresql+psycopg://u:a%3Fb?#[c@h/n", {"a%3Fb?#[c", "a?b?#[c", "a%3Fb%3F%23%5Bc"}),
            ("mysql+pymysql://u@h/n", set()),
            ("sqlite:////srv/a.db", set()),
            ("memory://", set()),
            (None, set()),
        ],
    )
    def test_gives_every_spelling(self, url: str | None, found: set[str]) -> None:
        assert set(passwords(url)) == found
