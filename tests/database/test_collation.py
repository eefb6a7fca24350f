"""The collation that filters need, asked of each database."""

import pytest
from flask import Flask

from application.database import collation, db


@pytest.mark.usefixtures("context")
class TestIsMissing:
    def test_says_no_of_every_database_that_is_supported(self) -> None:
        with db.engine.connect() as connection:
            assert not collation.is_missing(connection)

    def test_says_yes_of_a_server_of_mariadb_that_does_not_know_it(self, counting: Flask) -> None:
        with db.engine.connect() as connection:
            is_mariadb = connection.dialect.name in {"mysql", "mariadb"}
            assert collation.is_missing(connection, "utf8mb4_uca9999_nopad_as_cs") is is_mariadb
