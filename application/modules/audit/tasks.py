"""Keep the table of what was done short."""

from application.config.current import current_settings
from application.modules.audit import business


def prune_audit() -> int:
    """Delete the audit records that are kept no longer; return how many."""
    return business.prune(keep_days=current_settings().audit_keep_days)
