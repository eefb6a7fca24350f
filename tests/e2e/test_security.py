"""Attacks on a real server of four processes, in every async mode: what depends on server, processes or mode.

What does not is shown in the process itself; `tests/test_security_matrix.py` has the table of it all.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
import socketio
import websocket

from tests.contract.test_security_headers import DATA, PAGE, REFERRERS
from tests.e2e.conftest import ASYNC_MODES
from tests.e2e.secured import MARK, SITE, Secured, marked, secured
from tests.e2e.test_server_framing import request, send, status
from tests.e2e.tour import ME, go_everywhere
from tests.e2e.viewer import Viewer
from tests.waiting import wait_until

REFRESH = "/api/v1/auth/refresh"
SECOND = 1.0

End = Callable[[Secured, str, str, str], None]


@pytest.fixture(scope="module", params=ASYNC_MODES)
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[Secured]:
    """Run the server of each mode in turn."""
    with secured(request.param, tmp_path_factory.mktemp("secured"), migrated_file) as running:
        yield running


def sign_out(attacked: Secured, user_id: str, password: str, token: str) -> None:
    assert attacked.ask("POST", "/api/v1/auth/logout", token=token).status_code == 204


def change_password(attacked: Secured, user_id: str, password: str, token: str) -> None:
    other = attacked.sign_in(name_of(attacked, user_id), password)
    body = {"current_password": password, "password": marked("changed")}
    assert attacked.ask("POST", "/api/v1/auth/password", token=other["token"], json=body).status_code == 204


def name_of(attacked: Secured, user_id: str) -> str:
    answer = attacked.ask("GET", f"/api/v1/user/{user_id}", token=attacked.admin["token"])
    return str(answer.json()["data"]["name"])


def reset_password(attacked: Secured, user_id: str, password: str, token: str) -> None:
    body = {"password": marked("reset")}
    answer = attacked.ask("PATCH", f"/api/v1/user/{user_id}", token=attacked.admin["token"], json=body)
    assert answer.status_code == 200, answer.text


def disable_user(attacked: Secured, user_id: str, password: str, token: str) -> None:
    body = {"is_disabled": True}
    answer = attacked.ask("PATCH", f"/api/v1/user/{user_id}", token=attacked.admin["token"], json=body)
    assert answer.status_code == 200, answer.text


def delete_user(attacked: Secured, user_id: str, password: str, token: str) -> None:
    answer = attacked.ask("DELETE", f"/api/v1/user/{user_id}", token=attacked.admin["token"])
    assert answer.status_code == 204, answer.text


class TestSession:
    def test_is_refreshed_by_one_of_twelve_at_once(self, attacked: Secured) -> None:
        shown = attacked.member()["refresh_token"]
        with ThreadPoolExecutor(12) as clients:
            body = {"refresh_token": shown}
            answers = list(clients.map(lambda _: attacked.ask("POST", REFRESH, json=body), range(12)))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 11
        (won,) = [attacked.keep(answer.json()["data"]) for answer in answers if answer.status_code == 200]
        assert set(attacked.statuses(ME, won["token"])) == {200}

    def test_ends_everywhere_when_its_refresh_token_is_used_again(self, attacked: Secured) -> None:
        first = attacked.member()
        answer = attacked.ask("POST", REFRESH, json={"refresh_token": first["refresh_token"]})
        second = attacked.keep(answer.json()["data"])
        again = attacked.ask("POST", REFRESH, json={"refresh_token": second["refresh_token"]})
        third = attacked.keep(again.json()["data"])
        reused = attacked.ask("POST", REFRESH, json={"refresh_token": first["refresh_token"]})
        assert (reused.status_code, reused.json()["code"]) == (401, "refresh_refused")
        time.sleep(SECOND)
        assert set(attacked.statuses(ME, third["token"])) == {401}
        dead = attacked.ask("POST", REFRESH, json={"refresh_token": third["refresh_token"]})
        assert dead.status_code == 401

    @pytest.mark.parametrize("end", [sign_out, change_password, reset_password, disable_user, delete_user])
    def test_is_nobody_in_every_process_within_a_second(self, attacked: Secured, end: End) -> None:
        user_id, name, password = attacked.user()
        tokens = attacked.sign_in(name, password)
        assert set(attacked.statuses(ME, tokens["token"])) == {200}
        end(attacked, user_id, password, tokens["token"])
        time.sleep(SECOND)
        assert set(attacked.statuses(ME, tokens["token"])) == {401}
        refreshed = attacked.ask("POST", REFRESH, json={"refresh_token": tokens["refresh_token"]})
        assert refreshed.status_code == 401


class TestToken:
    def test_opens_nothing_unless_it_is_a_whole_access_token_in_its_header(self, attacked: Secured) -> None:
        tokens, other = attacked.member(), attacked.member()
        access, refresh = tokens["token"], tokens["refresh_token"]
        family = refresh.partition(".")[0]
        for spoiled in (refresh, refresh.rpartition(".")[2], access[:-1], f"{access}A", access + "A" * 7000, "é"):
            headers = {"Authorization": f"Bearer {spoiled}".encode()}
            assert attacked.ask("GET", ME, headers=headers).status_code == 401
        too_long = attacked.ask("GET", ME, token=access + "A" * 10_000)
        assert (too_long.status_code, too_long.json()["code"]) == (431, "headers_too_large")
        for query in (f"token={access}", f"access_token={access}"):
            assert attacked.ask("GET", f"{ME}?{query}").status_code == 401
        for cookie in ("token", "session", "redprint"):
            assert attacked.ask("GET", ME, cookies={cookie: access}).status_code == 401
        for spoiled in (access, refresh[:-1], f"{family}.{other['refresh_token'].partition('.')[2]}"):
            assert attacked.ask("POST", REFRESH, json={"refresh_token": spoiled}).status_code == 401
        assert attacked.ask("GET", ME, token=other["token"]).status_code == 200


ADMINS_ONLY = ("/api/v1/user", "/api/v1/audit", "/api/v1/throttle", "/api/v1/role", "/api/v1/message") + (
    "/scheduler", "/scheduler/jobs", "/scheduler/metrics", "/scheduler/shutdown", "/scheduler/bulk/delete"
)  # fmt: skip


class TestPrivilege:
    def test_is_nobodys_by_any_method_or_header(self, attacked: Secured) -> None:
        token = attacked.member()["token"]
        for path in ADMINS_ONLY:
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"):
                answer = attacked.ask(method, path, token=token)
                assert answer.status_code in (403, 405), f"{method} {path}: {answer.status_code}"
            tricks = {"X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/api/v1/blog", "X-Role": "admin"}
            for method, address in (("GET", path), ("POST", path), ("GET", f"{path}?_method=DELETE")):
                assert attacked.ask(method, address, token=token, headers=tricks).status_code in (403, 405)


class TestBrowser:
    """A browser's cookie, as another site's page could let the browser send it."""

    def test_counts_for_pages_of_this_site_only(self, attacked: Secured) -> None:
        _user_id, name, password = attacked.user()
        form = {"name": name, "password": password}
        foreign = {"Origin": "https://evil.example"}
        assert attacked.ask("POST", "/sign-in", data=form, headers=foreign).status_code == 403
        assert attacked.ask("POST", "/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        text = {"Content-Type": "text/plain"}
        assert attacked.ask("POST", "/sign-in", data="name=a&password=b", headers=text).status_code == 415
        entered = attacked.ask("POST", "/sign-in", data=form, headers={"Origin": attacked.url}, allow_redirects=False)
        assert entered.status_code == 303
        set_cookie = entered.headers["Set-Cookie"]
        assert "HttpOnly" in set_cookie
        assert "SameSite=Strict" in set_cookie
        cookies = {cookie.name: str(cookie.value) for cookie in entered.cookies}
        attacked.given |= set(cookies.values())
        csrf = attacked.ask("GET", "/dashboard/session.json", cookies=cookies).json()["csrf"]
        attacked.given.add(csrf)
        body = {"name": f"tag of {name}"}

        def write(**headers: str) -> int:
            return attacked.ask("POST", "/api/v1/tag", json=body, cookies=cookies, headers=headers).status_code

        assert write() == 403, "the cookie alone is what another site's page sends"
        assert write(**{"X-CSRF-Token": "guessed"}) == 403
        assert write(**{"X-CSRF-Token": csrf}, **foreign) == 403
        assert write(**{"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}) == 403
        assert write(**{"X-CSRF-Token": csrf}, Origin=attacked.url) == 201

    def test_asks_with_tls_for_a_cookie_that_no_other_host_can_set(self, attacked: Secured) -> None:
        _user_id, name, password = attacked.user()
        headers = {"X-Forwarded-Proto": "https", "Origin": attacked.url.replace("http://", "https://")}
        form = {"name": name, "password": password}
        entered = attacked.ask("POST", "/sign-in", data=form, headers=headers, allow_redirects=False)
        assert entered.status_code == 303, entered.text
        set_cookie = entered.headers["Set-Cookie"]
        attacked.given |= {str(cookie.value) for cookie in entered.cookies}
        attacked.given.add(set_cookie.partition("=")[2].partition(";")[0])
        assert set_cookie.startswith("__Host-redprint=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(set_cookie.split("; "))
        assert "Domain" not in set_cookie


class TestOrigin:
    def test_is_allowed_by_its_whole_name_alone(self, attacked: Secured) -> None:
        for origin in ("https://evil.example", "null", f"{SITE}.evil.example", "https://x.app.example", SITE.upper()):
            for method in ("GET", "OPTIONS"):
                headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
                answer = attacked.ask(method, "/api/v1/blog", headers=headers)
                assert not [name for name in answer.headers if name.startswith("Access-Control-")], origin
                assert "Origin" in answer.headers["Vary"]
        for path, expected in (("/api/v1/blog", 200), (ME, 401)):
            answer = attacked.ask("GET", path, headers={"Origin": SITE})
            assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (expected, SITE)
            assert "Access-Control-Allow-Credentials" not in answer.headers


def check_headers(answer: requests.Response) -> None:
    """Hold an answer to what every answer has."""
    html = answer.headers.get("Content-Type", "").startswith("text/html")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == (PAGE if html else DATA)
    assert answer.headers["Referrer-Policy"] in REFERRERS
    assert answer.headers.get("Cross-Origin-Opener-Policy") == ("same-origin" if html else None)
    assert answer.headers.get("Server", "") in ("", "gunicorn"), "no version"
    assert answer.headers["X-Request-ID"]


class TestHeaders:
    def test_close_every_answer_whatever_its_status(self, attacked: Secured) -> None:
        for path, expected in (
            ("/", 200),
            ("/sign-in", 200),
            ("/nowhere", 404),
            ("/api/v1/blog", 200),
            ("/api/v1/blog?limit=0", 422),
            (ME, 401),
            ("/api/v1/nowhere", 404),
        ):
            plain = attacked.ask("GET", path)
            assert plain.status_code == expected
            check_headers(plain)
            assert "Strict-Transport-Security" not in plain.headers
            if path.startswith("/api"):
                assert plain.headers["Cache-Control"] == "no-store"
            secure = attacked.ask("GET", path, headers={"X-Forwarded-Proto": "https"})
            assert secure.headers["Strict-Transport-Security"] == "max-age=31536000"
        for method, expected in (("DELETE", 405), ("PURGE", 405)):
            answer = attacked.ask(method, "/api/v1/blog")
            assert answer.status_code == expected
            check_headers(answer)

    def test_close_what_breaks_too_and_tell_nothing_of_it(self, attacked: Secured) -> None:
        with attacked.without_table("tag"):
            answer = attacked.ask("GET", "/api/v1/tag?q=hunter2")
        check_headers(answer)
        assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/problem+json")
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
        for inside in ("Traceback", "sqlite", "no such table", "SELECT", 'hunter2"', ".py"):
            assert inside not in answer.text
        wait_until(lambda: answer.headers["X-Request-ID"] in attacked.server.log.read_text(), 10)
        assert "no such table" in attacked.server.log.read_text()


class TestAddress:
    def test_that_attackers_look_for_is_not_there(self, attacked: Secured) -> None:
        for path in ("/console", "/openapi.json", "/metrics", "/.git/config", "/.env", "/static/../.env"):
            assert status(send(attacked.server, request("GET", path))) == 404, path
        for path in ("/dashboard/plain/../pages.py", "/dashboard/assets/..%2f..%2fpages.py", "/docs/plain/..%5cx"):
            assert status(send(attacked.server, request("GET", path))) == 404, path
        shown = attacked.ask("GET", "/?__debugger__=yes&cmd=resource&f=debugger.js")
        assert "EVALEX" not in shown.text
        assert attacked.ask("GET", "/scheduler/metrics").status_code == 401

    def test_of_no_host_or_another_is_refused(self, attacked: Secured) -> None:
        lines = f"GET {ME} HTTP/1.1\r\nHost:{{}}\r\nConnection: close\r\n\r\n"
        for host in ("", " evil.example", " 127.0.0.1.evil.example", " 127.0.0.1@evil.example"):
            assert status(send(attacked.server, lines.format(host).encode())) == 400, host


class TestLimits:
    def test_a_form_of_1001_parts_is_413(self, attacked: Secured) -> None:
        token = attacked.member()["token"]
        parts = [("file", (f"{number}.txt", b"x", "text/plain")) for number in range(1001)]
        answer = attacked.ask("POST", "/api/v1/file", token=token, files=parts)
        assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")

    def test_wrong_passwords_count_by_what_the_nearest_proxy_says(self, attacked: Secured) -> None:
        name = f"nobody-{time.monotonic_ns()}"
        answers = [
            attacked.ask(
                "POST",
                "/api/v1/auth/login",
                json={"name": f"{name}-{number}", "password": "wrong"},
                headers={"X-Forwarded-For": f"192.0.2.{number}, 2001:db8:ffff:{len(attacked.server.url)}::1"},
            )
            for number in range(32)
        ]
        assert [answer.status_code for answer in answers] == [401] * 30 + [429] * 2
        assert int(answers[-1].headers["Retry-After"]) > 0


class TestRaces:
    def test_of_one_key_make_one_row(self, attacked: Secured) -> None:
        token, name = attacked.member()["token"], f"key-{time.monotonic_ns()}"
        with ThreadPoolExecutor(20) as clients:
            answers = list(
                clients.map(lambda _: attacked.ask("POST", "/api/v1/tag", token=token, json={"name": name}), range(20))
            )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19


@contextmanager
def opened(attacked: Secured, query: str = "") -> Iterator[websocket.WebSocket]:
    """Open a websocket that has not named its namespace yet."""
    address = f"{attacked.url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket{query}"
    with ExitStack() as stack:
        client = websocket.create_connection(address, timeout=10)
        stack.callback(client.shutdown)
        client.recv()
        yield client


class TestSockets:
    def test_refuse_who_shows_no_valid_token(self, attacked: Secured) -> None:
        tokens, gone = attacked.member(), attacked.member()
        attacked.ask("POST", "/api/v1/auth/logout", token=gone["token"])
        time.sleep(SECOND)
        for auth in (None, {}, {"token": "x"}, {"token": tokens["refresh_token"]}, {"token": gone["token"]}):
            with pytest.raises(socketio.exceptions.ConnectionError):
                Viewer(attacked.server, auth=auth)
        with pytest.raises(socketio.exceptions.ConnectionError):
            Viewer(attacked.server, auth={"token": tokens["token"]}, headers={"Origin": "https://evil.example"})
        with opened(attacked, f"&token={tokens['token']}") as stranger:
            stranger.send("40/ws,")
            assert str(stranger.recv()).startswith("44/ws,"), "a token in the address is none"

    def test_tell_a_user_nothing_that_is_for_admins(self, attacked: Secured) -> None:
        with Viewer(attacked.server, auth={"token": attacked.member()["token"]}) as viewer:
            viewer.await_samples(2)
            assert viewer.messages == []

    def test_close_on_a_frame_that_is_too_long(self, attacked: Secured) -> None:
        token = attacked.member()["token"]
        with opened(attacked) as client:
            client.send("40/ws," + json.dumps({"token": token}))
            while not str(client.recv()).startswith("40/ws,"):
                pass  # a greeting may come first
            client.send("42/ws," + json.dumps(["watch_task", "x" * 2_000_000]))
            with pytest.raises((websocket.WebSocketConnectionClosedException, OSError)):
                while client.recv() != "":
                    pass  # what was on its way
                raise ConnectionResetError  # by a closing frame
        assert attacked.ask("GET", "/api/v1/blog").status_code == 200

    def test_are_cut_within_five_seconds_of_the_end_of_their_session(self, attacked: Secured) -> None:
        tokens = attacked.member()
        with Viewer(attacked.server, auth={"token": tokens["token"]}) as viewer:
            viewer.await_samples(1)
            attacked.ask("POST", "/api/v1/auth/logout", token=tokens["token"])
            assert viewer.left.wait(5)


ESCAPE = "\x1b[31m"


class TestLog:
    def test_is_one_line_whatever_a_client_calls_itself(self, attacked: Secured) -> None:
        forged = f"eve\n2026-01-01T00:00:00Z INFO forged [-] let in{ESCAPE}"
        attacked.ask("POST", "/api/v1/auth/login", json={"name": forged, "password": "wrong"})
        headers = {"User-Agent": f"curl {ESCAPE}", "Referer": f"x{ESCAPE}"}
        attacked.ask("GET", "/api/v1/blog/a%0a2026-01-01T00:00:00Z%20INFO%20forged%1b[31m", headers=headers)
        attacked.ask("GET", f"{ME}?x=%0aforged%1b", token=f"a{ESCAPE}")
        user = {"name": forged, "password": marked("word")}
        assert attacked.ask("POST", "/api/v1/user", token=attacked.admin["token"], json=user).status_code == 422
        last = attacked.ask("GET", "/api/v1/tag").headers["X-Request-ID"]
        wait_until(lambda: last in attacked.server.log.read_text(), 10)
        for text in (attacked.server.log.read_text(), attacked.server.said()):
            lines = text.split("\n")
            assert not [line for line in lines if line.startswith("2026-01-01")]
            assert "\x1b" not in text
        if attacked.server.environment.get("LOG_FORMAT") == "json":
            for line in attacked.server.log.read_text().splitlines():
                assert isinstance(json.loads(line), dict)


class TestMarkedSecrets:
    """Secrets that are recognised: after everything was done with them they stand nowhere but where they belong."""

    def test_stand_in_no_log_row_or_metric(self, attacked: Secured) -> None:
        go_everywhere(attacked)
        chief = attacked.admin["token"]
        metrics = attacked.ask("GET", "/scheduler/metrics", token=chief)
        assert metrics.status_code == 200
        found = {
            "the log": attacked.server.log.read_text(),
            "the output": attacked.server.said(),
            "the metrics": metrics.text,
            "the audit": attacked.ask("GET", "/api/v1/audit?limit=100", token=chief).text,
            "the document": attacked.ask("GET", "/api/v1/openapi.json").text,
            **{f"the table {table}": rows for table, rows in attacked.rows().items()},
        }
        assert len(attacked.given) >= 8  # what this alone is given; others may have gone before
        for where, text in found.items():
            assert MARK not in text, f"{where}: {text[max(0, text.index(MARK) - 200) :][:400]}"
            assert [secret for secret in attacked.given if secret in text] == [], where
