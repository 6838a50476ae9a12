"""What the settings of actions and notifications must satisfy. Pure: a table in, `Operations` or `Misfit` out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from console.model.configuration import Secret
from console.model.configuration_rules import check_dsn, check_url
from console.model.conversion import KeyPath, Misfit, convert
from console.model.operations import Maintenance, Operations

_REPOSITORY = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+"
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
