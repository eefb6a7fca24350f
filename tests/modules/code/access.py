"""Who may ask for a code: anybody."""

from tests.contract.access import Feature, Row

FEATURE = Feature(
    {"POST /code": Row(202, 202, 202, 202, json={"purpose": "sign_in", "to": "ada@example.org"})},
)
