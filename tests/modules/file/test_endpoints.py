"""Files over HTTP: sent through the API, given back, deleted and restored."""

import hashlib

import pytest
from flask import Flask

from tests.conftest import Caller
from tests.libs.image_kit import HTML, PDF, PHP, SVG, archive, image, png_of
from tests.modules.file.conftest import PNG, URL, Limit, code_of, kept, send, sent, settings_of
from tests.multipart import multipart

TEXT = "Grüße\n".encode() * 1000


class TestCreate:
    def test_keeps_a_file_under_a_random_name(self, app: Flask, ada: Caller) -> None:
        answer = send(ada.client, name="../../etc/passwd.png")
        assert answer.status_code == 201
        file = answer.get_json()["data"]
        assert answer.headers["Location"] == f"{URL}/{file['id']}"
        assert file["name"] == "passwd.png"
        assert (file["media_type"], file["size"], file["state"]) == ("image/png", len(PNG), "ready")
        assert file["sha256"] == hashlib.sha256(PNG).hexdigest()
        assert (file["owner_id"], file["has_thumbnail"]) == (ada.id, False)
        (path,) = kept(app)
        assert "passwd" not in str(path)
        assert file["id"] not in str(path)
        assert path.read_bytes() == PNG

    def test_takes_the_type_from_the_content(self, ada: Caller) -> None:
        assert sent(ada.client, PDF, "a", "application/octet-stream")["media_type"] == "application/pdf"
        assert sent(ada.client, b"a,b\n", "a.csv", "text/csv")["media_type"] == "text/csv"

    def test_gives_a_name_the_ending_of_its_type(self, ada: Caller) -> None:
        assert sent(ada.client, PNG, "shell.php", "image/png")["name"] == "shell.php.png"

    @pytest.mark.parametrize("content", [PHP, SVG, HTML, PNG + PHP, PNG + archive({"a": b"a"}), png_of(20_000, 20_000)])
    def test_refuses_what_is_not_what_it_seems(self, app: Flask, ada: Caller, content: bytes) -> None:
        assert code_of(send(ada.client, content)) == (422, "file_refused")
        assert kept(app) == []
        assert ada.client.get(f"{URL}?count=true&state=pending").get_json()["page"]["total"] == 0

    def test_refuses_an_archive_that_would_blow_up(self, ada: Caller, limit: Limit) -> None:
        bomb = archive({"zeros": bytes(40_000_000)})
        assert code_of(send(ada.client, bomb, "a.zip", "application/zip")) == (422, "file_refused")
        limit(file_types=("application/zip",))
        assert code_of(send(ada.client, bomb, "a.zip", "application/zip")) == (422, "file_refused")
        assert send(ada.client, archive({"a": b"a"}), "a.zip", "application/zip").status_code == 201

    def test_takes_ten_mebibytes_and_not_a_byte_more(self, app: Flask, ada: Caller) -> None:
        most = settings_of(app).file_max_bytes
        assert most == 10 * 1024 * 1024
        assert send(ada.client, b"x" * most, "a.txt", "text/plain").status_code == 201
        assert code_of(send(ada.client, b"x" * (most + 1), "a.txt", "text/plain")) == (413, "file_too_large")
        assert send(ada.client, b"x" * (most + 70_000), "a.txt", "text/plain").status_code == 413
        assert len(kept(app)) == 1

    def test_refuses_a_name_no_database_holds(self, ada: Caller) -> None:
        for name in ("a\x00.png", "a" * 256):
            assert send(ada.client, name=name).status_code == 422

    def test_wants_a_file_and_nothing_else(self, ada: Caller) -> None:
        assert ada.client.post(URL, **multipart({"a": "b"})).status_code == 422
        assert ada.client.post(URL, **multipart({"owner_id": ada.id}, file=(PNG, "a", ""))).status_code == 422
        assert ada.client.post(URL, json={}).status_code == 415

    def test_repeats_nothing_under_one_key(self, app: Flask, ada: Caller) -> None:
        answers = [send(ada.client, headers={"Idempotency-Key": '"one"'}) for _ in range(2)]
        assert answers[0].get_json() == answers[1].get_json()
        assert len(kept(app)) == 1

    def test_leaves_nothing_when_the_disk_refuses(self, app: Flask, ada: Caller) -> None:
        directory = settings_of(app).file_directory
        directory.parent.mkdir(parents=True, exist_ok=True)
        moved = directory.rename(directory.with_name("moved")) if directory.exists() else None
        directory.write_text("no directory")
        try:
            assert code_of(send(ada.client)) == (503, "storage_unavailable")
        finally:
            directory.unlink()
            if moved is not None:
                moved.rename(directory)
        assert ada.client.get(f"{URL}?count=true&state=pending").get_json()["page"]["total"] == 0


class TestContent:
    def test_is_an_attachment_nobody_guesses_about(self, ada: Caller) -> None:
        file = sent(ada.client, PNG, "照片.png")
        answer = ada.client.get(f"{URL}/{file['id']}/content")
        assert (answer.status_code, answer.data, answer.mimetype) == (200, PNG, "image/png")
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="__.png"')
        assert "filename*=UTF-8''%E7%85%A7%E7%89%87.png" in answer.headers["Content-Disposition"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "private" in answer.headers["Cache-Control"]

    def test_comes_in_parts(self, ada: Caller) -> None:
        url = f"{URL}/{sent(ada.client, TEXT, 'a.txt', 'text/plain')['id']}/content"
        part = ada.client.get(url, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.data) == (206, TEXT[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(TEXT)}"
        assert ada.client.get(url, headers={"Range": "bytes=-5"}).data == TEXT[-5:]
        assert ada.client.get(url, headers={"Range": "bytes=5-"}).data == TEXT[5:]
        beyond = ada.client.get(url, headers={"Range": f"bytes={len(TEXT)}-"})
        assert code_of(beyond) == (416, "range_unsatisfiable")
        assert beyond.headers["Content-Range"] == f"bytes */{len(TEXT)}"
        stale = ada.client.get(url, headers={"Range": "bytes=0-1", "If-Range": '"other"'})
        assert (stale.status_code, stale.data) == (200, TEXT)

    def test_is_not_sent_again_to_who_has_it(self, ada: Caller) -> None:
        url = f"{URL}/{sent(ada.client)['id']}/content"
        tag = ada.client.get(url).headers["ETag"]
        assert ada.client.get(url, headers={"If-None-Match": tag}).status_code == 304

    def test_is_told_without_its_bytes(self, ada: Caller) -> None:
        answer = ada.client.head(f"{URL}/{sent(ada.client)['id']}/content")
        assert (answer.status_code, answer.data, answer.content_length) == (200, b"", len(PNG))

    def test_says_that_it_cannot_be_read(self, app: Flask, ada: Caller, caplog: pytest.LogCaptureFixture) -> None:
        file = sent(ada.client)
        kept(app)[0].unlink()
        app.extensions["edge"].propagate = False
        try:
            answer = ada.client.get(f"{URL}/{file['id']}/content")
        finally:
            app.extensions["edge"].propagate = True
        assert code_of(answer) == (503, "unavailable")
        assert "cannot be read" in caplog.text


class TestPrivate:
    def test_is_found_by_nobody_else(self, ada: Caller, bob: Caller) -> None:
        file = sent(ada.client)
        for path in ("", "/content", "/thumbnail", "/link"):
            assert code_of(bob.client.get(f"{URL}/{file['id']}{path}")) == (404, "file_not_found")
        for method, path in (("DELETE", ""), ("POST", "/confirmation"), ("POST", "/restore")):
            assert bob.client.open(f"{URL}/{file['id']}{path}", method=method).status_code == 404
        assert bob.client.get(URL).get_json()["data"] == []
        assert bob.client.get(f"{URL}?owner={ada.id}").get_json()["data"] == []
        assert ada.client.get(f"{URL}/{file['id']}").status_code == 200

    def test_is_seen_by_who_manages_files(self, ada: Caller, admin: Caller) -> None:
        file = sent(ada.client)
        assert admin.client.get(f"{URL}?owner={ada.id}").get_json()["data"] == [file]
        assert admin.client.get(f"{URL}/{file['id']}/content").data == PNG
        assert admin.client.delete(f"{URL}/{file['id']}").status_code == 204


class TestIndex:
    def test_lists_one_s_own_page_by_page(self, ada: Caller) -> None:
        names = [f"{letter}.png" for letter in "cab"]
        files = [sent(ada.client, image(size=(index + 1, 9)), name) for index, name in enumerate(names)]
        first = ada.client.get(f"{URL}?limit=2&sort=name&count=true").get_json()
        assert [file["name"] for file in first["data"]] == ["a.png", "b.png"]
        assert first["page"]["total"] == 3
        rest = ada.client.get(f"{URL}?limit=2&sort=name&after={first['page']['next']}").get_json()
        assert [file["name"] for file in rest["data"]] == ["c.png"]
        assert ada.client.get(URL).get_json()["data"] == files[::-1]

    def test_filters(self, ada: Caller) -> None:
        sent(ada.client)
        text = sent(ada.client, b"abc", "a.txt", "text/plain")
        for query in ("media_type=text/plain", "name__contains=.TXT", "size__lte=3", f"name=a.txt&owner={ada.id}"):
            assert ada.client.get(f"{URL}?{query}").get_json()["data"] == [text], query
        assert ada.client.get(f"{URL}?state=deleted").get_json()["data"] == []


class TestDelete:
    def test_can_be_taken_back(self, app: Flask, ada: Caller) -> None:
        file = sent(ada.client)
        assert ada.client.delete(f"{URL}/{file['id']}").status_code == 204
        for path in ("", "/content", "/link"):
            assert ada.client.get(f"{URL}/{file['id']}{path}").status_code == 404
        assert ada.client.delete(f"{URL}/{file['id']}").status_code == 404
        (listed,) = ada.client.get(f"{URL}?state=deleted").get_json()["data"]
        assert listed["deleted_at"] is not None
        assert ada.client.post(f"{URL}/{file['id']}/restore").get_json()["data"] == file
        assert ada.client.post(f"{URL}/{file['id']}/restore").status_code == 404
        assert ada.client.get(f"{URL}/{file['id']}/content").data == PNG
        assert len(kept(app)) == 1

    def test_keeps_to_what_was_read(self, ada: Caller) -> None:
        url = f"{URL}/{sent(ada.client)['id']}"
        tag = ada.client.get(url).headers["ETag"]
        assert ada.client.delete(url, headers={"If-Match": '"other"'}).status_code == 412
        assert ada.client.delete(url, headers={"If-Match": tag}).status_code == 204


class TestUsage:
    def test_says_what_is_taken(self, ada: Caller) -> None:
        file = sent(ada.client)
        usage = ada.client.get(f"{URL}/usage").get_json()["data"]
        assert (usage["used_bytes"], usage["used_count"], usage["max_bytes"]) == (len(PNG), 1, 10_485_760)
        ada.client.delete(f"{URL}/{file['id']}")
        assert ada.client.get(f"{URL}/usage").get_json()["data"]["used_count"] == 0


class TestQuota:
    def test_bounds_the_bytes(self, ada: Caller, bob: Caller, limit: Limit) -> None:
        limit(file_quota_bytes=len(PNG) * 2)
        files = [sent(ada.client) for _ in range(2)]
        assert code_of(send(ada.client)) == (409, "quota_used_up")
        assert send(bob.client).status_code == 201
        ada.client.delete(f"{URL}/{files[0]['id']}")
        assert send(ada.client).status_code == 201
        assert code_of(ada.client.post(f"{URL}/{files[0]['id']}/restore")) == (409, "quota_used_up")

    def test_bounds_the_bin_too(self, ada: Caller, limit: Limit) -> None:
        limit(file_quota_count=1)
        for _ in range(2):
            ada.client.delete(f"{URL}/{sent(ada.client)['id']}")
        assert code_of(send(ada.client)) == (409, "quota_used_up")
