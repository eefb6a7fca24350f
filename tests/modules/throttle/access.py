"""Who may see how limits do."""

from tests.contract.access import Feature, Row

FEATURE = Feature({"GET /throttle": Row(401, 403, 403, 200)})
