"""Name the features whose routes `test_access.py` asks as every kind of caller: a new one is a line here."""

from tests.contract.access import Feature, Row, completed
from tests.modules.audit import access as audit
from tests.modules.auth import access as auth
from tests.modules.blog import access as blog
from tests.modules.code import access as code
from tests.modules.contact import access as contact
from tests.modules.factor import access as factor
from tests.modules.file import access as file
from tests.modules.key import access as key
from tests.modules.message import access as message
from tests.modules.role import access as role
from tests.modules.scheduler import access as scheduler
from tests.modules.session import access as session
from tests.modules.tag import access as tag
from tests.modules.task import access as task
from tests.modules.throttle import access as throttle
from tests.modules.user import access as user

DOCUMENTS = Feature(
    {
        "GET /openapi.json": Row(200, 200, 200, 200),
        "GET /api/asyncapi.json": Row(200, 200, 200, 200),
    }
)

FEATURES = (
    DOCUMENTS,
    audit.FEATURE,
    auth.FEATURE,
    code.FEATURE,
    contact.FEATURE,
    tag.FEATURE,
    blog.FEATURE,
    file.FEATURE,
    user.FEATURE,
    session.FEATURE,
    role.FEATURE,
    key.FEATURE,
    factor.FEATURE,
    message.FEATURE,
    task.FEATURE,
    throttle.FEATURE,
    scheduler.FEATURE,
)
"""In an order in which each finds what it needs in the world."""

HIDDEN = (blog.DRAFTS,)
"""What nobody but its owner may find: its routes once more, about something private."""

ACCESS: dict[str, Row] = {route: row for feature in FEATURES for route, row in completed(feature.rows).items()}
