"""What is different from Flask."""

from application.libs.web_application import WebApplication


class TestOptions:
    def test_have_no_content_and_so_no_media_type(self) -> None:
        app = WebApplication("specimen")
        app.add_url_rule("/", view_func=lambda: "", methods=["GET", "POST"])
        response = app.test_client().options("/")
        assert (response.status_code, response.data) == (200, b"")
        assert "Content-Type" not in response.headers
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
        assert "Accept-Patch" not in response.headers

    def test_say_what_a_patch_may_be_sent_as(self) -> None:
        app = WebApplication("specimen")
        app.add_url_rule("/", view_func=lambda: "", methods=["GET", "PATCH"])
        assert (
            app.test_client().options("/").headers["Accept-Patch"] == "application/merge-patch+json, application/json"
        )


class TestEnsureSync:
    def test_leaves_functions_as_they_are(self) -> None:
        app = WebApplication("specimen")

        def show() -> str:
            return "ok"

        assert app.ensure_sync(show) is show
