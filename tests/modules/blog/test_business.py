"""Rules about blogs."""

from typing import Any

import pytest

from application.libs.clock import now
from application.libs.page import BadCursor, UnknownOrder, encode_cursor
from application.modules.blog import business
from application.modules.blog.models import Status
from application.modules.tag import business as tag_business
from application.modules.user import business as user_business

UNKNOWN = "01981f3e-7c5a-7b1e-9c55-0d7f5b1f2a10"

pytestmark = pytest.mark.usefixtures("unit")


@pytest.fixture
def ada(unit: None) -> str:
    """Create a user."""
    return user_business.create(name="ada", password_hash=None).id


@pytest.fixture
def bob(unit: None) -> str:
    """Create another user."""
    return user_business.create(name="bob", password_hash=None).id


def write(owner_id: str, title: str = "Hello", **values: Any) -> business.BlogRow:
    return business.create(owner_id=owner_id, title=title, content=values.pop("content", ""), **values)


def titles(viewer_id: str | None = None, **choice: Any) -> list[str]:
    page = business.search(viewer_id=viewer_id, limit=100, **({"sort": "title"} | choice))
    return [blog.title for blog in page.items]


class TestSearch:
    def test_gives_published_blogs_to_anybody_and_drafts_to_their_owner(self, ada: str, bob: str) -> None:
        write(ada, "a published")
        write(ada, "b draft", status=Status.DRAFT)
        write(bob, "c published")
        write(bob, "d draft", status=Status.DRAFT)
        assert titles() == ["a published", "c published"]
        assert titles(ada) == ["a published", "b draft", "c published"]
        assert titles(bob) == ["a published", "c published", "d draft"]

    @pytest.mark.parametrize(
        ("viewer", "owner", "status", "found"),
        [
            (None, None, Status.DRAFT, []),
            ("ada", None, Status.DRAFT, ["draft"]),
            ("bob", None, Status.DRAFT, []),
            ("ada", None, Status.PUBLISHED, ["public"]),
            (None, "ada", None, ["public"]),
            ("bob", "ada", None, ["public"]),
            ("bob", "ada", Status.DRAFT, []),
            ("ada", "ada", None, ["draft", "public"]),
            ("ada", "ada", Status.DRAFT, ["draft"]),
            ("ada", "ada", Status.PUBLISHED, ["public"]),
            ("ada", "bob", None, []),
        ],
    )
    def test_filters_by_owner_and_status_within_what_the_viewer_may_see(
        self, ada: str, bob: str, viewer: str | None, owner: str | None, status: Status | None, found: list[str]
    ) -> None:
        write(ada, "public")
        write(ada, "draft", status=Status.DRAFT)
        people = {"ada": ada, "bob": bob, None: None}
        assert titles(people[viewer], owner=people[owner], status=status) == found

    def test_filters_by_tag(self, ada: str) -> None:
        first, second = (tag_business.create(name=name).id for name in ("first", "second"))
        write(ada, "both", tag_ids=[first, second])
        write(ada, "one", tag_ids=[first])
        write(ada, "none")
        assert titles(tag=first) == ["both", "one"]
        assert titles(tag=second) == ["both"]
        assert titles(tag=UNKNOWN) == []

    def test_carries_owner_and_tags_in_order(self, ada: str) -> None:
        tag_ids = [tag_business.create(name=name).id for name in ("c", "a", "b")]
        blog = write(ada, tag_ids=tag_ids)
        assert business.search(viewer_id=None, limit=1).items == [blog]
        assert [tag.name for tag in blog.tags] == ["a", "b", "c"]
        assert blog.owner == business.OwnerRow(id=ada, name="ada")

    @pytest.mark.parametrize("sort", ["created_at", "-created_at", "updated_at", "-updated_at", "title", "-title"])
    def test_pages_without_gap_or_overlap_in_every_order(self, ada: str, sort: str) -> None:
        for number in range(7):
            write(ada, f"title {number % 2}")  # equal titles: the id breaks the tie
        seen: list[str] = []
        after = None
        for _page in range(4):
            page = business.search(viewer_id=None, limit=2, sort=sort, after=after, count=True)
            assert page.total == 7
            seen += [blog.id for blog in page.items]
            after = page.next
        assert after is None
        whole = business.search(viewer_id=None, limit=100, sort=sort)
        assert seen == [blog.id for blog in whole.items]
        assert len(set(seen)) == 7

    def test_sorts_the_newest_first_unless_told(self, ada: str) -> None:
        for title in ("old", "new"):
            write(ada, title)
        assert [blog.title for blog in business.search(viewer_id=None, limit=2).items] == ["new", "old"]

    def test_refuses_an_unknown_order(self) -> None:
        with pytest.raises(UnknownOrder):
            titles(sort="content")

    @pytest.mark.parametrize(
        "values",
        [
            ["x", UNKNOWN],
            ["2026-11-20", UNKNOWN],
            ["2026-11-20T12:00:00", UNKNOWN],
            ["0001-01-01T00:00:00+14:00", UNKNOWN],
            ["9999-12-31T23:59:59-14:00", UNKNOWN],
            ["2026-11-20T12:00:00+00:00", "x"],
            ["2026-11-20T12:00:00+00:00", "\x00"],
            ["2026-11-20T12:00:00+00:00"],
            [1, UNKNOWN],
        ],
    )
    def test_refuses_a_forged_cursor(self, values: list[str | int]) -> None:
        with pytest.raises(BadCursor):
            titles(sort="created_at", after=encode_cursor("created_at", values))

    def test_refuses_a_cursor_with_text_no_database_holds(self) -> None:
        with pytest.raises(BadCursor):
            titles(after=encode_cursor("title", ["a\x00", UNKNOWN]))


class TestGet:
    def test_returns_a_published_blog_to_anybody(self, ada: str, bob: str) -> None:
        blog = write(ada)
        assert business.get(blog.id, viewer_id=None) == business.get(blog.id, viewer_id=bob) == blog

    def test_returns_a_draft_to_its_owner_only(self, ada: str, bob: str) -> None:
        blog = write(ada, status=Status.DRAFT)
        assert business.get(blog.id, viewer_id=ada) == blog
        for viewer_id in (None, bob):
            with pytest.raises(business.BlogNotFound):
                business.get(blog.id, viewer_id=viewer_id)

    def test_finds_no_unknown_blog(self) -> None:
        with pytest.raises(business.BlogNotFound):
            business.get(UNKNOWN, viewer_id=None)


class TestCreate:
    def test_answers_with_what_stands_in_the_table(self, ada: str) -> None:
        tag_ids = [tag_business.create(name=name).id for name in ("b", "a")]
        for status in Status:
            blog = write(ada, "标题 🎉", content="<b>\r\n\tbold</b>", tag_ids=tag_ids, status=status)
            assert business.get(blog.id, viewer_id=ada) == blog

    def test_notes_when_it_was_published(self, ada: str) -> None:
        before = now()
        blog = write(ada)
        assert before <= blog.created_at <= now()
        assert blog.published_at == blog.created_at == blog.updated_at

    def test_publishes_no_draft(self, ada: str) -> None:
        assert write(ada, status=Status.DRAFT).published_at is None

    def test_puts_a_repeated_tag_on_once(self, ada: str) -> None:
        tag = tag_business.create(name="python").id
        assert len(write(ada, tag_ids=[tag, tag]).tags) == 1

    def test_names_the_places_of_unknown_tags(self, ada: str) -> None:
        tag = tag_business.create(name="python").id
        with pytest.raises(business.UnknownTag) as refused:
            write(ada, tag_ids=[UNKNOWN, tag, UNKNOWN])
        assert [error["loc"] for error in refused.value.errors] == [["body", "tags", 0], ["body", "tags", 2]]

    def test_refuses_an_owner_who_is_gone(self) -> None:
        with pytest.raises(business.OwnerGone):
            write(UNKNOWN)


class TestUpdate:
    def test_changes_only_what_is_given(self, ada: str) -> None:
        tag = tag_business.create(name="python").id
        blog = write(ada, "old", content="text", tag_ids=[tag])
        changed = business.update(blog.id, editor_id=ada, title="new")
        assert (changed.title, changed.content, changed.tags) == ("new", "text", blog.tags)
        assert changed.created_at == blog.created_at
        assert changed.updated_at > blog.updated_at

    def test_changes_nothing_without_fields(self, ada: str) -> None:
        blog = write(ada)
        assert business.update(blog.id, editor_id=ada) == blog

    def test_replaces_the_tags(self, ada: str) -> None:
        first, second, third = (tag_business.create(name=name).id for name in ("first", "second", "third"))
        blog = write(ada, tag_ids=[first, second])
        changed = business.update(blog.id, editor_id=ada, tag_ids=[third, second])
        assert [tag.name for tag in changed.tags] == ["second", "third"]
        assert business.update(blog.id, editor_id=ada, tag_ids=[]).tags == []

    def test_counts_other_tags_as_a_change(self, ada: str) -> None:
        blog = write(ada)
        assert business.update(blog.id, editor_id=ada, tag_ids=[]).updated_at > blog.updated_at

    def test_notes_when_a_draft_is_published_and_forgets_it_again(self, ada: str) -> None:
        blog = write(ada, status=Status.DRAFT)
        published = business.update(blog.id, editor_id=ada, status=Status.PUBLISHED)
        assert published.published_at is not None
        assert published.published_at > blog.created_at
        again = business.update(blog.id, editor_id=ada, status=Status.PUBLISHED)
        assert again.published_at == published.published_at
        assert business.update(blog.id, editor_id=ada, status=Status.DRAFT).published_at is None
        anew = business.update(blog.id, editor_id=ada, status=Status.PUBLISHED).published_at
        assert anew is not None
        assert anew > published.published_at

    def test_refuses_another_editor(self, ada: str, bob: str) -> None:
        blog = write(ada)
        with pytest.raises(business.NotYourBlog):
            business.update(blog.id, editor_id=bob, title="mine")
        assert business.get(blog.id, viewer_id=None) == blog

    def test_hides_a_draft_from_another_editor(self, ada: str, bob: str) -> None:
        blog = write(ada, status=Status.DRAFT)
        with pytest.raises(business.BlogNotFound):
            business.update(blog.id, editor_id=bob, title="mine")

    def test_refuses_an_unknown_tag(self, ada: str) -> None:
        blog = write(ada)
        with pytest.raises(business.UnknownTag):
            business.update(blog.id, editor_id=ada, tag_ids=[UNKNOWN])

    def test_finds_no_unknown_blog(self, ada: str) -> None:
        with pytest.raises(business.BlogNotFound):
            business.update(UNKNOWN, editor_id=ada, title="new")


class TestDelete:
    def test_takes_blog_and_tags_away(self, ada: str) -> None:
        tag = tag_business.create(name="python").id
        blog = write(ada, tag_ids=[tag])
        business.delete(blog.id, editor_id=ada)
        with pytest.raises(business.BlogNotFound):
            business.get(blog.id, viewer_id=ada)
        tag_business.delete(tag)  # nothing holds the tag any more

    def test_refuses_another_editor(self, ada: str, bob: str) -> None:
        blog = write(ada)
        with pytest.raises(business.NotYourBlog):
            business.delete(blog.id, editor_id=bob)

    def test_hides_a_draft_from_another_editor(self, ada: str, bob: str) -> None:
        blog = write(ada, status=Status.DRAFT)
        with pytest.raises(business.BlogNotFound):
            business.delete(blog.id, editor_id=bob)

    def test_finds_no_unknown_blog(self, ada: str) -> None:
        with pytest.raises(business.BlogNotFound):
            business.delete(UNKNOWN, editor_id=ada)
