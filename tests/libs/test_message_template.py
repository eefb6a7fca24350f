from pathlib import Path

import jinja2
import pytest

from application.libs.message_template import MessageTemplates, one_line

FILES = {
    "hello/subject.txt": "{% trans %}Hello {{ name }}{% endtrans %}\n",
    "hello/text.txt": "{% trans %}Hello {{ name }}{% endtrans %}, 100%\n({{ language }})\n",
    "hello/html.html": "<p title='{{ subject }}'>{% trans %}Hello {{ name }}{% endtrans %}</p>",
    "hello/sms.txt": "{% trans count %}{{ count }} <thing>{% pluralize %}{{ count }} <things>{% endtrans %}\n",
    "plain/subject.txt": "Plain",
    "plain/text.txt": "Plain",
}
CHINESE = {"Hello %(name)s": "你好，%(name)s"}


@pytest.fixture
def templates(tmp_path: Path) -> MessageTemplates:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return MessageTemplates(tmp_path, {"en": lambda text: text, "zh": lambda text: CHINESE.get(text, text)})


class TestMessageTemplates:
    def test_write_mail_in_each_language(self, templates: MessageTemplates) -> None:
        english, chinese = (templates.mail("hello", language, {"name": "Ada"}) for language in ("en", "zh"))
        assert (english.subject, english.text) == ("Hello Ada", "Hello Ada, 100%\n(en)\n")
        assert (chinese.subject, chinese.text) == ("你好，Ada", "你好，Ada, 100%\n(zh)\n")
        assert chinese.html == "<p title='你好，Ada'>你好，Ada</p>"

    def test_escape_in_html_alone(self, templates: MessageTemplates) -> None:
        written = templates.mail("hello", "en", {"name": "<b>&'"})
        assert written.subject == "Hello <b>&'"
        assert written.html == "<p title='Hello &lt;b&gt;&amp;&#39;'>Hello &lt;b&gt;&amp;&#39;</p>"
        assert templates.sms("hello", "en", {"count": 2}).text == "2 <things>"

    def test_keep_a_subject_on_its_line(self, templates: MessageTemplates) -> None:
        written = templates.mail("hello", "en", {"name": "Ada\r\nBcc: eve@example.org\x1b\u2028x" + "y" * 300})
        assert written.subject is not None
        assert written.subject.startswith("Hello Ada Bcc: eve@example.org xyyy")
        assert len(written.subject) == 200

    def test_miss_no_value_silently(self, templates: MessageTemplates) -> None:
        with pytest.raises(jinja2.UndefinedError, match="name"):
            templates.mail("hello", "en", {})

    def test_know_what_they_are_for(self, templates: MessageTemplates) -> None:
        assert templates.names() == ["hello", "plain"]
        assert [templates.has_mail(name) for name in ("hello", "plain", "none")] == [True, True, False]
        assert [templates.has_sms(name) for name in ("hello", "plain", "none")] == [True, False, False]
        assert templates.mail("plain", "en", {}).html is None

    @pytest.mark.parametrize(
        ("wanted", "language"), [("en", "en"), ("zh", "zh"), ("zh-CN", "zh"), ("ZH_tw", "zh"), ("de", "en"), ("", "en")]
    )
    def test_find_the_nearest_language(self, templates: MessageTemplates, wanted: str, language: str) -> None:
        assert templates.language(wanted) == language


class TestOneLine:
    def test_takes_breaks_and_controls_out(self) -> None:
        assert one_line("  a\tb\r\nc\x00\x7fd\u2029e  ") == "a b cd e"
