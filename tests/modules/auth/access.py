"""Who may sign in and out."""

from tests.contract.access import Feature, Row

FEATURE = Feature(
    {
        "POST /auth/login": Row(200, 200, 200, 200, json={"name": "owner", "password": "correct horse"}),
        "POST /auth/logout": Row(401, 204, 204, 204),
        "GET /auth/me": Row(401, 200, 200, 200),
    }
)
