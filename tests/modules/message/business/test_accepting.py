import pytest
from flask import Flask

from application.database import transaction
from application.libs.outgoing import Outgoing
from application.modules.message import business
from tests.modules.message.conftest import CODE, Accept, mails, row
from tests.tables import count_rows


class TestSendMail:
    def test_writes_the_message_and_its_task_in_one_unit(self, app: Flask, accept: Accept, senders: Outgoing) -> None:
        written = row(app, accept("Ada@Example.ORG"))
        assert (written.channel, written.recipient, written.template) == ("mail", "Ada@example.org", "test")
        assert (written.state, written.attempts, written.subject) == ("queued", 0, "A test message")
        assert count_rows(app, "task", id=written.task_id) == 1
        assert not mails(senders)

    def test_of_a_unit_that_is_rolled_back_leaves_nothing(self, app: Flask, senders: Outgoing) -> None:
        with app.app_context(), pytest.raises(RuntimeError), transaction():
            business.send_mail(to="ada@example.org", template="test", language="en")
            raise RuntimeError
        assert (count_rows(app, "message"), count_rows(app, "task")) == (0, 0)

    def test_keeps_what_is_secret_apart(self, app: Flask, accept: Accept) -> None:
        written = row(app, accept(template="code", **CODE))
        assert written.parameters == {"minutes": 10}
        assert written.subject == "Your code: ***"
        assert count_rows(app, "message", secrets='{"code":"204816"}') == 1

    @pytest.mark.parametrize(("wanted", "subject"), [("zh-CN", "测试消息"), ("de", "A test message")])
    def test_speaks_the_nearest_language(self, app: Flask, accept: Accept, wanted: str, subject: str) -> None:
        assert row(app, accept(language=wanted)).subject == subject

    @pytest.mark.parametrize(
        "to", ["ada", "ada@example.org\r\nBcc: eve@example.org", "a@example.org,b@example.org", "Ada <ada@example.org>"]
    )
    def test_refuses_what_is_not_one_address(self, app: Flask, to: str, senders: Outgoing) -> None:
        with app.app_context(), transaction(), pytest.raises(business.InvalidRecipient) as refused:
            business.send_mail(to=to, template="test", language="en")
        assert refused.value.errors[0]["loc"] == ["body", "to"]

    @pytest.mark.parametrize(
        ("parameters", "said"),
        [
            ({"code": "1"}, "'code' wants minutes"),
            ({"minutes": 1, "cod": "1"}, "'code' wants code and knows no cod"),
            ({"minutes": 1, "code": ["1"]}, "Parameter 'code' of template 'code' is of type list"),
            ({"minutes": 2**64, "code": "1"}, "Parameter 'minutes' of template 'code' is of type int"),
        ],
    )
    def test_refuses_wrong_parameters_at_once(
        self, app: Flask, accept: Accept, parameters: dict[str, object], said: str
    ) -> None:
        with pytest.raises(business.WrongParameters, match=said):
            accept(template="code", **parameters)
        assert count_rows(app, "message") == 0

    def test_refuses_an_unknown_template(self, accept: Accept) -> None:
        with pytest.raises(business.UnknownTemplate, match="'cod' for mail; there are address_taken, code,"):
            accept(template="cod")


class TestSendSms:
    @pytest.mark.parametrize("to", ["+4915112345678", "+49 (151) 123-456.78"])
    def test_writes_the_number_in_its_normal_form(self, app: Flask, accept: Accept, to: str) -> None:
        written = row(app, accept(to, template="code", **CODE))
        assert (written.channel, written.recipient, written.subject) == ("sms", "+4915112345678", None)

    @pytest.mark.parametrize("to", ["015112345678", "+0", "+49151x2345678", "+4915112345678;+1", "", "١٢٣٤٥٦٧٨٩"])
    def test_refuses_what_is_no_number(self, app: Flask, to: str, senders: Outgoing) -> None:
        with app.app_context(), transaction(), pytest.raises(business.InvalidRecipient, match=r"."):
            business.send_sms(to=to, template="code", language="en", **CODE)

    def test_refuses_a_template_for_mail_alone(self, accept: Accept) -> None:
        with pytest.raises(
            business.UnknownTemplate, match="'job_alert' for sms; there are address_taken, code, password_reset, test"
        ):
            accept("+4915112345678", template="job_alert")
