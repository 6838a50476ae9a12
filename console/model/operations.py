"""The settings of what can be done and who is told. Read when somebody acts or is told, not at the console's start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from console.model.configuration import Secret
from console.model.value import value


@value
class Access:
    """Roles by Unix user or `@group`. Who is named nowhere is a viewer and may change nothing."""

    operators: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()
    service: str | None = None
    """The Unix account that owns tokens, runner and records: authority is enforced. None: guard rails only."""
    runner: str = "/usr/local/bin/radar-runner"
    """The program that the sudoers rule lets people start as that account."""
    read_only: bool = False
    """Nobody may change anything, whatever their role: not even acknowledge, note or poll."""


@value
class GitHub:
    """The repository whose workflow deploys the application."""

    token: Secret
    repository: str
    """`OWNER/NAME`."""
    branch: str = "main"
    workflow: str | None = None
    """The workflow's file name, `ci.yml`; None: every workflow."""
    api: str = "https://api.github.com"
    interval_s: float = 30.0


@value
class Verification:
    """How an action is checked after it was done."""

    rounds: int = 3
    """So many good rounds in a row are enough."""
    interval_s: float = 3.0
    window_s: float = 120.0
    """No longer than this is watched."""


@value
class Maintenance:
    """How the application learns that it is in maintenance: exactly one provider."""

    provider: Literal["edge-config", "database", "hook"]
    edge_config: str | None = None
    """`ecfg_…` of the store that the application reads."""
    key: str = "maintenance"
    database: Secret | None = None
    """DSN of a role that may write the table."""
    table: str = "radar_maintenance"
    hook: Secret | None = None
    """URL that takes `{"maintenance": {…}}` by POST and answers its state to GET."""
    hook_token: Secret | None = None
    page: str = "/"
    """The path where the maintenance page must be seen from outside."""
    marker: str = "maintenance"
    """A word of that page, or of its `x-maintenance` header."""
    notice_minutes: int = 60
    """How long before an emergency maintenance people are told (SU1: one hour)."""
    window_day: int = 1
    """Day of the month of the regular window."""
    window_hour: int = 2
    """Its hour, UTC (SU1: 02:00)."""
    window_minutes: int = 120


@value
class Slack:
    """An incoming webhook: the whole URL is the secret."""

    webhook: Secret


@value
class Statuspage:
    """Our own public status page."""

    key: Secret
    page: str
    components: tuple[str, ...] = ()
    """Ids of the components that maintenance touches."""
    email: bool = False
    """Whether subscribers get mail of maintenance; each plan can say otherwise."""
    alerts: tuple[str, ...] = ()
    """Severities, and names of rules, of which the public is told. None of them unless they stand here."""
    alert_after_s: float = 120.0
    """An alert that ends sooner is not told."""
    alert_email: bool = False
    """Whether subscribers get mail of these, which nobody reads over before."""
    alert_title: str = "Service disruption"
    texts: Mapping[str, str] = field(default_factory=dict)
    """What the public is told, by rule; `any`: of every other one; `over`: of the end."""
    api: str = "https://api.statuspage.io"


@value
class PagerDuty:
    """Events API v2 of one service."""

    routing_key: Secret
    api: str = "https://events.pagerduty.com"


@value
class Webhook:
    """Any other listener that takes one JSON object by POST."""

    name: str
    url: Secret
    token: Secret | None = None


@value
class Notify:
    """Who is told of alerts, and how severe these must be."""

    least: Mapping[str, Literal["critical", "high", "medium", "low"]] = field(default_factory=dict)
    """Channel to the least severity that it is told of. Default: pagerduty high, the others medium."""
    group_s: float = 30.0
    """Alerts that begin within this time are told together."""
    escalate_s: Mapping[str, float] = field(default_factory=dict)
    """Severity to seconds after which an alert that nobody has acknowledged is told again, one severity higher."""
    heartbeat: Secret | None = None
    """URL asked after each minute in which the collector judged: the dead-man's switch."""
    heartbeat_s: float = 60.0
    test_weekly: bool = True


@value
class Audit:
    """Where the hashes of audit entries go besides records.db."""

    webhook: Secret | None = None
    syslog: bool = True


@value
class Operations:
    """All of it. What is None is not configured, and says so with the line to add."""

    access: Access = field(default_factory=Access)
    github: GitHub | None = None
    maintenance: Maintenance | None = None
    verification: Verification = field(default_factory=Verification)
    slack: Slack | None = None
    statuspage: Statuspage | None = None
    pagerduty: PagerDuty | None = None
    webhooks: tuple[Webhook, ...] = ()
    notify: Notify = field(default_factory=Notify)
    audit: Audit = field(default_factory=Audit)
    staging: str | None = None
    """URL of the staging deployment, shown and probed beside production."""
