"""Who may sign in and out."""

from tests.contract.access import Feature, Row

FEATURE = Feature(
    {
        "POST /auth/login": Row(200, 200, 200, 200, json={"name": "owner", "password": "correct horse"}),
        "POST /auth/refresh": Row(401, 401, 401, 401, json={"refresh_token": "unknown"}),
        "POST /auth/logout": Row(401, 204, 204, 204),
        "POST /auth/logout-everywhere": Row(401, 200, 200, 200),
        "POST /auth/password": Row(
            401, 204, 204, 204, json={"current_password": "correct horse", "password": "correct horse"}
        ),
        "GET /auth/me": Row(401, 200, 200, 200),
    }
)
