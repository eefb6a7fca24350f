"""What matches in a URL."""

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map, MapAdapter, Rule

from application.libs.converter import CONVERTERS

KEY = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"


@pytest.fixture
def urls() -> MapAdapter:
    rules = [Rule(f"/{kind}/<{kind}:value>", endpoint=kind) for kind in CONVERTERS]
    return Map([*rules, Rule("/plain/<value>", endpoint="plain")], converters=CONVERTERS).bind("localhost")


class TestConverters:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("/int/1", 1),
            ("/int/2147483647", 2**31 - 1),
            (f"/id/{KEY.upper()}", KEY),
            ("/string/标签", "标签"),
            ("/plain/a b", "a b"),
            ("/path/a/b", "a/b"),
        ],
    )
    def test_give_what_fits(self, urls: MapAdapter, path: str, value: object) -> None:
        assert urls.match(path)[1] == {"value": value}

    @pytest.mark.parametrize(
        "path",
        ["/int/0", "/int/01", "/int/-1", "/int/2147483648", "/int/9999999999", "/int/٣", "/int/" + "9" * 5000]
        + ["/id/42", f"/id/{KEY}\n", "/string/a\0", "/plain/\0", "/path/a/\0", "/default/\0"],
    )
    def test_match_nothing_else(self, urls: MapAdapter, path: str) -> None:
        with pytest.raises(NotFound):
            urls.match(path)
