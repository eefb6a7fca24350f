"""Version 2 of the API: version 1's list, with another import for what changes."""

from application.libs.ok import Envelope
from application.libs.redprint import Surface
from application.modules.audit.endpoints import audit
from application.modules.auth.endpoints import auth
from application.modules.blog.endpoints_v2 import blog, blogs
from application.modules.code.endpoints import code
from application.modules.contact.endpoints import contact
from application.modules.factor.endpoints import factor, factors
from application.modules.file.endpoints import file
from application.modules.key.endpoints import key
from application.modules.message.endpoints import message
from application.modules.role.endpoints import permission, role
from application.modules.session.endpoints import session
from application.modules.tag.endpoints import tag
from application.modules.task.endpoints import task
from application.modules.throttle.endpoints import throttle
from application.modules.user.endpoints import user

VERSION = "2.0.0"

REDPRINTS = (
    audit,
    auth,
    blog,
    blogs,
    code,
    contact,
    factor,
    factors,
    file,
    key,
    message,
    permission,
    role,
    session,
    tag,
    task,
    throttle,
    user,
)


def surface() -> Surface:
    """Return the version, ready to be registered."""
    v2 = Surface("v2", __name__, url_prefix="/api/v2", dialect=Envelope(), title="Redprint API")
    for redprint in REDPRINTS:
        v2.register_blueprint(redprint)
    return v2
