"""Rules about tags."""

import pytest

from application.libs.page import BadCursor, UnknownOrder
from application.modules.blog import business as blog_business
from application.modules.tag import business
from application.modules.user import business as user_business

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"

pytestmark = pytest.mark.usefixtures("unit")


def names(*, q: str | None = None, sort: str = "name") -> list[str]:
    page = business.search(limit=100, after=None, sort=sort, q=q, count=False)
    return [tag.name for tag in page.items]


class TestSearch:
    def test_gives_nothing_of_nothing(self) -> None:
        page = business.search(limit=5, after=None, sort="name", q=None, count=True)
        assert (list(page.items), page.next, page.total) == ([], None, 0)

    def test_sorts_both_ways(self) -> None:
        for name in ("b", "a", "c"):
            business.create(name=name)
        assert names() == ["a", "b", "c"]
        assert names(sort="-name") == ["c", "b", "a"]
        assert names(sort="id") == ["b", "a", "c"]
        assert names(sort="-id") == ["c", "a", "b"]

    @pytest.mark.parametrize("sort", ["name", "-name", "id", "-id"])
    def test_pages_without_gap_or_overlap_in_every_order(self, sort: str) -> None:
        for number in range(5):
            business.create(name=f"tag {number}")
        seen, after = [], None
        for _page in range(3):
            page = business.search(limit=2, after=after, sort=sort, q=None, count=False)
            seen += [tag.name for tag in page.items]
            after = page.next
        assert after is None
        assert seen == names(sort=sort)
        assert len(set(seen)) == 5

    def test_counts_what_matches_on_every_page(self) -> None:
        for name in ("red", "dark red", "blue"):
            business.create(name=name)
        page = business.search(limit=1, after=None, sort="name", q="red", count=True)
        assert page.total == 2
        assert page.next is not None

    def test_refuses_the_cursor_of_another_order(self) -> None:
        for name in ("a", "b"):
            business.create(name=name)
        page = business.search(limit=1, after=None, sort="name", q=None, count=False)
        with pytest.raises(BadCursor):
            business.search(limit=1, after=page.next, sort="-name", q=None, count=False)

    def test_refuses_an_unknown_order(self) -> None:
        with pytest.raises(UnknownOrder):
            business.search(limit=1, after=None, sort="created_at", q=None, count=False)

    @pytest.mark.parametrize("literal", ["%", "_", "\\", "'", '"', "\\%"])
    def test_searches_literally(self, literal: str) -> None:
        business.create(name=f"a{literal}b")
        business.create(name="axb")
        assert names(q=literal) == [f"a{literal}b"]

    def test_searches_in_either_case(self) -> None:
        for name in ("Flask", "flask-login", "标签"):
            business.create(name=name)
        assert names(q="FLASK") == ["Flask", "flask-login"]
        assert names(q="签") == ["标签"]


class TestGet:
    def test_returns_the_tag(self) -> None:
        tag = business.create(name="python")
        assert business.get(tag.id) == tag

    def test_finds_no_unknown_tag(self) -> None:
        with pytest.raises(business.TagNotFound):
            business.get(UNKNOWN)


class TestCreate:
    @pytest.mark.parametrize("name", ["标签", "🏷️", "é", "e\N{COMBINING ACUTE ACCENT}", "a'b;--", "x" * 50, "𝒻" * 50])
    def test_keeps_the_name_as_it_is(self, name: str) -> None:
        tag = business.create(name=name)
        assert business.get(tag.id).name == name

    def test_refuses_a_taken_name(self) -> None:
        business.create(name="python")
        with pytest.raises(business.NameTaken):
            business.create(name="python")


class TestUpdate:
    def test_renames(self) -> None:
        tag = business.create(name="python")
        assert business.update(tag.id, name="flask").name == "flask"
        assert business.get(tag.id).name == "flask"

    def test_takes_its_own_name_again(self) -> None:
        tag = business.create(name="python")
        assert business.update(tag.id, name="python") == tag

    def test_changes_nothing_without_a_name(self) -> None:
        tag = business.create(name="python")
        assert business.update(tag.id) == tag

    def test_refuses_a_taken_name(self) -> None:
        business.create(name="python")
        tag = business.create(name="flask")
        with pytest.raises(business.NameTaken):
            business.update(tag.id, name="python")

    @pytest.mark.parametrize("name", [None, "flask"])
    def test_finds_no_unknown_tag(self, name: str | None) -> None:
        with pytest.raises(business.TagNotFound):
            business.update(UNKNOWN, name=name)


class TestDelete:
    def test_takes_the_tag_away(self) -> None:
        tag = business.create(name="python")
        business.delete(tag.id)
        with pytest.raises(business.TagNotFound):
            business.get(tag.id)

    def test_frees_the_name(self) -> None:
        business.delete(business.create(name="python").id)
        assert business.create(name="python").name == "python"

    def test_finds_no_unknown_tag(self) -> None:
        with pytest.raises(business.TagNotFound):
            business.delete(UNKNOWN)

    def test_refuses_a_tag_on_a_blog(self) -> None:
        tag = business.create(name="python")
        owner = user_business.create(name="ada", password_hash=None)
        blog_business.create(owner_id=owner.id, title="Hello", content="", tag_ids=[tag.id])
        with pytest.raises(business.TagInUse):
            business.delete(tag.id)
