"""Who may set up a second factor, and take one away; nobody in the world has one."""

from tests.contract.access import Feature, Row

_PROOF = {"current_password": "correct horse", "code": "123456"}

FEATURE = Feature(
    {
        "GET /factor": Row(401, 200, 200, 200),
        "POST /factor": Row(401, 200, 200, 200, json={"current_password": "correct horse"}),
        "POST /factor/confirm": Row(401, 409, 409, 409, json={"code": "123456"}),
        "POST /factor/recovery-codes": Row(401, 409, 409, 409, json=_PROOF),
        "POST /factor/turn-off": Row(401, 409, 409, 409, json=_PROOF),
        "DELETE /user/<id:user_id>/factor": Row(401, 403, 403, 409),
    }
)
