"""What the settings of actions and notifications must satisfy. Pure: a table in, `Operations` or `Misfit` out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from console.model.configuration import Secret, Severity
from console.model.configuration_rules import check_dsn, check_url
from console.model.conversion import KeyPath, Misfit, convert
from console.model.operations import Maintenance, Operations

_REPOSITORY = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"
_SEVERITIES: tuple[str, ...] = get_args(Severity)
_TABLE = r"[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?"


def operations_of(table: Mapping[str, Any], path: KeyPath) -> Operations:
    """The settings in an environment's table. Raises `Misfit` for the first that cannot work."""
    operations = convert(dict(table), Operations, path)
    if operations.github and not re.fullmatch(_REPOSITORY, operations.github.repository):
        raise Misfit((*path, "github", "repository"), "this is no repository", 'write "OWNER/NAME"')
    for key, url in _urls(operations):
        check_url(url, (*path, *key), token=True)
    if operations.staging:
        check_url(operations.staging, (*path, "staging"), token=False)
    if operations.maintenance:
        _maintenance(operations.maintenance, (*path, "maintenance"))
    _numbers(operations, path)
    _notify(operations, path)
    return operations


def _urls(operations: Operations) -> list[tuple[KeyPath, str]]:
    """Everything that a secret is sent to, or that is one."""
    services = (("github", operations.github), ("statuspage", operations.statuspage))
    urls: list[tuple[KeyPath, str]] = [((name, "api"), service.api) for name, service in services if service]
    urls += [(("pagerduty", "api"), operations.pagerduty.api)] if operations.pagerduty else []
    secrets: list[tuple[KeyPath, Secret | None]] = [
        (("slack", "webhook"), operations.slack.webhook if operations.slack else None),
        (("notify", "heartbeat"), operations.notify.heartbeat),
        (("audit", "webhook"), operations.audit.webhook),
        (("maintenance", "hook"), operations.maintenance.hook if operations.maintenance else None),
        *(((("webhooks", place, "url")), each.url) for place, each in enumerate(operations.webhooks)),
    ]
    return urls + [(key, secret.reveal()) for key, secret in secrets if secret and not secret.withheld]


def _maintenance(maintenance: Maintenance, path: KeyPath) -> None:
    needed = {"edge-config": "edge_config", "database": "database", "hook": "hook"}[maintenance.provider]
    if getattr(maintenance, needed) is None:
        raise Misfit((*path, needed), f"the provider {maintenance.provider} needs it", f"add {needed} = …")
    check_dsn(maintenance.database, (*path, "database"))
    if not re.fullmatch(_TABLE, maintenance.table):
        raise Misfit((*path, "table"), "this is no name of a table", 'write "radar_maintenance"')
    if not maintenance.page.startswith("/"):
        raise Misfit((*path, "page"), "this is no path below the url", 'write "/"')


_BOUNDS: Mapping[KeyPath, tuple[float, float]] = {
    ("github", "interval_s"): (1, 3600),
    ("verification", "rounds"): (1, 100),
    ("verification", "interval_s"): (0.01, 600),
    ("verification", "window_s"): (0.1, 3600),
    ("maintenance", "notice_minutes"): (1, 7 * 24 * 60),
    ("maintenance", "window_day"): (1, 31),
    ("maintenance", "window_hour"): (0, 23),
    ("maintenance", "window_minutes"): (1, 24 * 60),
    ("statuspage", "alert_after_s"): (0, 24 * 3600),
    ("notify", "group_s"): (0, 600),
    ("notify", "heartbeat_s"): (1, 3600),
}
"""The least and the greatest; outside of them a number is a typing error."""


def _numbers(operations: Operations, path: KeyPath) -> None:
    for key, (least, most) in _BOUNDS.items():
        table = getattr(operations, str(key[0]))
        if table is not None and not least <= getattr(table, str(key[1])) <= most:
            raise Misfit((*path, *key), "this is too small or too large", f"write one between {least:g} and {most:g}")


def _notify(operations: Operations, path: KeyPath) -> None:
    """Names that name nothing would be passed over in silence."""
    names = [webhook.name for webhook in operations.webhooks]
    twice = next((place for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise Misfit((*path, "webhooks", twice, "name"), "this name is there twice", "give each its own")
    channels = {"slack", "pagerduty", *names, *(f"webhook:{name}" for name in names)}
    for channel in operations.notify.least:
        if channel not in channels:
            fix = f"write one of: {', '.join(sorted(channels))}"
            raise Misfit((*path, "notify", "least", channel), "no channel has this name", fix)
    for severity, seconds in operations.notify.escalate_s.items():
        if severity not in _SEVERITIES:
            raise Misfit((*path, "notify", "escalate_s", severity), "this is no severity",
                         f"write one of: {', '.join(_SEVERITIES)}")  # fmt: skip
        if seconds <= 0:
            raise Misfit((*path, "notify", "escalate_s", severity), "this must be above 0", "write a greater number")
