"""Look up who did what to what, when and from where.

What is listed here was written together with the change itself, and nothing changes it afterwards; the oldest is
deleted after a year, or what the server has set.
"""

from application.libs.page import Page
from application.libs.redprint import Redprint
from application.modules.audit import business
from application.modules.audit.schemas import AuditId, AuditOut, AuditQuery
from application.permissions import Permission

audit = Redprint("audit", __name__)


@audit.get("", permission=Permission.AUDIT_VIEW, answer=AuditOut, orders=business.ORDERS, filters=business.FILTERS)
def index(query: AuditQuery) -> Page[business.AuditRow]:
    """List what was done."""
    return business.search(**query.given())


@audit.get("/<id:audit_id>", permission=Permission.AUDIT_VIEW, answer=AuditOut, errors=[business.AuditNotFound])
def show(audit_id: AuditId) -> business.AuditRow:
    """Read one thing that was done."""
    return business.get(audit_id)
