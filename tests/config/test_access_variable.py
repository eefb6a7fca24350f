"""Settings of accounts."""

import pytest

from application.config.setting import SettingsRefused
from tests.config.conftest import KEY, load

PRODUCTION = {"environment": "production", "secret_key": KEY, "database_url": "postgresql://db/x"}


class TestAccessVariables:
    def test_let_people_register_by_themselves_but_in_production(self) -> None:
        assert load(secret_key=KEY).registration_open
        assert not load(**PRODUCTION).registration_open
        assert load(**PRODUCTION, registration_open=True).registration_open
        assert not load(secret_key=KEY, registration_open=False).registration_open

    def test_take_an_origin_that_links_begin_with(self) -> None:
        assert load(secret_key=KEY).public_url == ""
        for url in ("https://App.example", "https://app.example/", "https://app.example:443"):
            assert load(secret_key=KEY, public_url=url).public_url == "https://app.example"
        for url in (
            "app.example",
            "https://app.example/x",
            "https://a@app.example",
            "javascript:alert(1)",
            "https://*",
        ):
            with pytest.raises(SettingsRefused, match="PUBLIC_URL .* is no origin: write it as https://app.example"):
                load(secret_key=KEY, public_url=url)

    def test_refuse_links_in_clear_in_production(self) -> None:
        with pytest.raises(SettingsRefused, match="PUBLIC_URL would let links .* in clear: write https://"):
            load(**PRODUCTION, public_url="http://app.example")
        assert load(**PRODUCTION, public_url="http://127.0.0.1:5000").public_url == "http://127.0.0.1:5000"
        assert load(secret_key=KEY, public_url="http://app.example").public_url == "http://app.example"
