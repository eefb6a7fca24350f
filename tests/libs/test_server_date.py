"""The time in the headers of answers, written once a second."""

from email.utils import parsedate_to_datetime
from time import sleep, time

from gunicorn.util import http_date

from application.libs.server_date import ServerDate


class TestServerDate:
    def test_says_what_gunicorn_says(self) -> None:
        date = ServerDate(http_date)
        before = int(time())
        said = parsedate_to_datetime(date()).timestamp()
        assert before <= said <= time()
        assert date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"

    def test_is_written_once_a_second(self) -> None:
        written: list[float] = []

        def form(timestamp: float) -> str:
            written.append(timestamp)
            return str(http_date(timestamp))

        date = ServerDate(form)
        until = time() + 1.5
        while time() < until:
            date()
            sleep(0.001)
        assert 2 <= len(written) <= 3
        assert len(set(written)) == len(written)
