"""A quota that twenty uploads at the same moment do not overrun."""

from flask import Flask

from tests.conftest import Caller
from tests.modules.file.conftest import PNG, URL, Limit, kept, send
from tests.parallel import at_once


class TestCheckQuota:
    def test_holds_against_uploads_at_the_same_moment(self, app: Flask, ada: Caller, limit: Limit) -> None:
        limit(file_quota_count=5)

        def upload() -> int:
            client = app.test_client()
            return send(client, headers={"Authorization": f"Bearer {ada.token}"}).status_code

        statuses = at_once([upload] * 20)
        assert sorted(statuses) == [201] * 5 + [409] * 15
        assert len(kept(app)) == 5
        assert ada.client.get(f"{URL}/usage").get_json()["data"]["used_bytes"] == 5 * len(PNG)
