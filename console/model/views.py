"""What a screen shows at one moment: the answers of `ports.StoreReads`, each a value frozen at `at_ms`.

Times are ms since epoch, ages and durations seconds; a figure that is not known is None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from console.model.configuration import SEVERITIES, Severity
from console.model.observation import ErrorKind, Json, Origin, Outcome
from console.model.states import State
from console.model.value import value


@value
class CollectorStatus:
    """Who polls, and whether it does."""

    alive: bool
    holder: str | None = None
    """`user@host pid` of the lease holder."""
    renewed_age_s: float | None = None
    difference: str | None = None
    """In words: how the holder's configuration differs from ours. None: the same."""
    last_error: str | None = None
    """The newest defect or store error that it reported."""


Wish = tuple[str, Mapping[str, Json]]
"""An action and its parameters: `ActionRequest` without its module, which no start needs."""


@value
class OpenItem:
    """One abnormal state that somebody must undo (the ledger)."""

    kind: str
    text: str
    owner: str | None = None
    since_ms: int | None = None
    expires_ms: int | None = None
    undo: str = ""
    """The command of ours that ends it."""
    request: Wish | None = None
    """The action that ends it: what its plan is asked for with."""
    run: str | None = None
    """The token of the run that is open, or that made it."""
    entry: tuple[str, int] | None = None
    """What ends it at once, without a plan, as `ports.EntryKind` and the number it takes: a silence, an arming."""

    def is_overdue(self, at_ms: int) -> bool:
        """Whether it should have been ended by somebody: nothing ends a maintenance by itself."""
        return self.kind == "maintenance" and self.expires_ms is not None and self.expires_ms <= at_ms


@value
class Header:
    """The first line of every screen and the folded ledger below it."""

    at_ms: int
    environment: str
    label: str | None
    identity: str | None
    """Supabase ref, Vercel target or server as last observed."""
    identity_mismatch: str | None
    """In words, when what is observed is not what is configured."""
    state: State
    alerts_firing: int
    sources_late: int
    sources: int
    collector: CollectorStatus
    open_items: tuple[OpenItem, ...] = ()
    armed_until_ms: int | None = None
    """Until when whoever reads this may act without giving a reason anew."""


@value
class Reason:
    """One thing that is wrong, in words: what, since when, from where."""

    key: str
    state: State
    component: str
    text: str
    since_ms: int | None
    origin: Origin
    cause: str | None = None
    """What began just before, in words: deployment, migration, setting, vendor incident."""
    incident: str = "application"
    """Kind of incident, for contacts."""


Whose = Literal["us", "vendor", "supabase", "bastion", "unknown", ""]
"""Whose fault: `vendor` when one reports it; `supabase` when its parts fail and it reports nothing; empty when well."""


@value
class Verdict:
    """The state of the whole, why, and whose fault it is."""

    state: State
    reasons: tuple[Reason, ...]
    whose: str
    """One of `Whose`."""
    whose_words: str
    """Such as `vendors: none reporting` or `this bastion is offline: targets are unknown`."""
    next_steps: tuple[str, ...] = ()
    suggested: Wish | None = None
    """The action that undoes the likely cause of the first reason, where there is one."""


@value
class ComponentRow:
    """One line of the component table."""

    key: str
    name: str
    state: State
    since_ms: int | None
    figure: str
    """What matters of it in a few words; carries the last value even when the source fails."""
    strip: tuple[State, ...]
    """The worst state of each equal slice of the window, oldest first; UNKNOWN = not observed."""
    seen_ms: int | None
    """When it was last observed successfully."""
    interval_s: float | None
    origin: Origin
    error: str | None = None
    """One line: why the newest try gave no value."""


@value
class TargetRow:
    """One service-level target (B1) over the last minutes."""

    name: str
    value: float | None
    unit: str
    limit: float
    origin: Origin
    state: State
    samples: int
    window_s: int
    aside: str | None = None
    """The probe's figure where the users' is unknown; of one over its limit, that it is so no longer."""
    seen_ms: int | None = None
    """When its source last answered."""
    at_least: bool = False
    """The value is a lower bound: it lies beyond the last bound of a foreign histogram."""


@value
class UptimeCell:
    """Uptime over one window: share of observed time, and the share of the window observed. None: unknown."""

    window_s: int
    up_share: float | None
    observed_share: float
    target_share: float
    budget_left_share: float | None


@value
class EventRow:
    """Something that happened, for `LATELY`."""

    at_ms: int
    kind: str
    subject: str
    text: str
    state: State | None = None


@value
class HealthView:
    """Everything that the Health screen shows."""

    header: Header
    verdict: Verdict | None
    """None: nothing was ever judged."""
    verdict_ms: int | None
    components: tuple[ComponentRow, ...]
    strip_s: int
    targets: tuple[TargetRow, ...]
    uptime: tuple[UptimeCell, ...]
    lately: tuple[EventRow, ...]


@value
class SpanRow:
    """A stretch of time in which a target's outcome and facts did not change."""

    began_ms: int
    last_ms: int
    outcome: Outcome
    error_kind: ErrorKind | None
    state: State
    words: str


@value
class TargetDetail:
    """One polled target of a component: value, tries, raw answer, history."""

    target: str
    state: State
    words: str
    outcome: Outcome
    error_kind: ErrorKind | None
    origin: Origin
    seen_ms: int | None
    """Last success."""
    tried_ms: int | None
    """Last try, successful or not."""
    due_ms: int | None
    interval_s: float
    facts: Mapping[str, Json]
    samples: Mapping[str, float]
    volatile: Mapping[str, Json]
    volatile_ms: int | None
    history: tuple[SpanRow, ...]


@value
class ComponentDetail:
    """What Enter on a component opens."""

    header: Header
    row: ComponentRow
    explanation: tuple[str, ...]
    """How the state was judged, a sentence a line, as stored when judged."""
    targets: tuple[TargetDetail, ...]
    events: tuple[EventRow, ...]


def alert_name(rule: str, subject: str) -> str:
    """What an alert is called, and a silence of it: `error-rate/users`; of a route `route-down/api`, whose slash is
    the one that parts the two."""
    return rule + subject if subject.startswith("/") else f"{rule}/{subject}"


@value
class AlertRow:
    """One alert: a rule that fired for a subject, from `began_ms` until `ended_ms`."""

    id: int
    rule: str
    subject: str
    severity: Severity
    text: str
    origin: Origin
    pending_ms: int
    began_ms: int
    ended_ms: int | None
    value: float | None
    limit: float | None
    unit: str
    acknowledged_by: str | None = None
    acknowledged_ms: int | None = None
    acknowledged_note: str | None = None
    silenced_until_ms: int | None = None
    silenced_by: str | None = None
    held: bool = False
    """Judgement is held: what fires is not known to go on."""
    held_why: str = ""
    """In words, such as `this bastion is offline`."""

    @property
    def name(self) -> str:
        """Rule and subject in one."""
        return alert_name(self.rule, self.subject)

    @property
    def in_hand(self) -> bool:
        """Whether somebody sees to it, or nobody can."""
        return self.acknowledged_ms is not None or self.silenced_until_ms is not None or self.held

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """To sort by: what nobody has in hand first, then the worst, then the newest."""
        return self.in_hand, SEVERITIES.index(self.severity), -self.began_ms


@value
class RuleRow:
    """One rule and how near it is to firing."""

    name: str
    severity: Severity
    condition: str
    state: str
    """`ok`, `pending`, `firing`, `unknown` (no data), `held`."""
    value: float | None
    unit: str
    silenced_until_ms: int | None = None


@value
class SilenceRow:
    """A silence in force or past."""

    id: int
    matcher: str
    reason: str
    by: str
    began_ms: int
    expires_ms: int
    ended_ms: int | None


@value
class AlertsView:
    """Everything that the Alerts screen shows."""

    header: Header
    firing: tuple[AlertRow, ...]
    history: tuple[AlertRow, ...]
    rules: tuple[RuleRow, ...]
    silences: tuple[SilenceRow, ...] = field(default_factory=tuple)
