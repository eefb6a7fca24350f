"""The sample that a first look meets."""

import pytest

from application.cli import sample
from application.modules.blog import business as blog_business
from application.modules.tag import business as tag_business


@pytest.mark.usefixtures("unit")
class TestLoadSample:
    def test_shows_published_blogs_in_two_languages(self) -> None:
        sample.load_sample()
        blogs = blog_business.search(viewer_id=None, limit=100).items
        assert len(blogs) == 7
        assert {blog.owner.name for blog in blogs} == set(sample.USERS)
        assert any("你好" in blog.title for blog in blogs)
        assert all(blog.tags for blog in blogs)

    def test_uses_every_tag(self) -> None:
        sample.load_sample()
        tags = tag_business.search(limit=100, after=None, sort="name", q=None, count=False).items
        blogs = blog_business.search(viewer_id=None, limit=100).items
        assert {tag.id for tag in tags} == {tag.id for blog in blogs for tag in blog.tags}
