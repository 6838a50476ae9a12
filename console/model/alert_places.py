"""To which component of the Health page an alert belongs."""

from __future__ import annotations

from console.model.views import AlertRow

_OF_RULE = {
    "application-down": "application", "security": "application",
    "route-down": "routes", "probe-error-rate": "routes", "probe-response-time": "routes",
    "memory": "users", "error-rate": "users", "response-time": "users",
    "database-connection": "database", "connections": "database", "blocking": "database",
    "supabase": "supabase", "certificate": "certificate", "egress": "bastion", "collector-late": "bastion",
}  # fmt: skip
_OF_BUDGET = {"p95": "users", "errors": "users", "memory": "users", "uptime": "application", "query": "database"}


def component_of(alert: AlertRow) -> str:
    """The component's key. Of a vendor's report the vendor's own name in small letters, of a rule of the user's own the
    subject: most name none."""
    if alert.rule.startswith("budget") or alert.rule.startswith("burn"):
        return _OF_BUDGET.get(alert.subject, alert.subject)
    return _OF_RULE.get(alert.rule, alert.subject.lower())
