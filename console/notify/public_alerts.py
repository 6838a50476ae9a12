"""What the public page is told of alerts: one incident at a time, only of what the settings name. Pure.

Nothing of an alert reaches the page but which rule it is and how severe: no text, no subject, no figure. The sentences
are fixed, or stand in the settings. The incident is of all public alerts together; the outbox is its memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from console.model import payload
from console.model.configuration import SEVERITIES, Severity
from console.model.judgement import AlertChange
from console.model.observation import Json
from console.model.operations import Statuspage
from console.notify.public_page import Update
from console.notify.rules import Quiet
from console.notify.statuspage import payload_of
from console.notify.wording import Payload

VISIBLE = frozenset({
    "application-down", "database-connection", "error-rate", "probe-error-rate", "route-down", "response-time",
    "probe-response-time", "supabase", "blocking",
})  # fmt: skip
"""Rules of what users notice. A severity chooses only among these; any other rule must be named."""
OTHERS = frozenset({
    "memory", "connections", "certificate", "security", "egress", "collector-late", "vendor", "burn-fast", "burn-slow",
    "burn-budget",
})  # fmt: skip
"""The other rules of ours: of the bastion, of margins, of what is nobody's business outside."""
What = Literal["began", "worse", "over"]

_BROKEN = "Some requests are failing."
_SLOW = "The application answers slowly."
_SENTENCES: Mapping[str, str] = {
    "application-down": "The application cannot be reached, or answers with errors.",
    "database-connection": "Parts of the application do not work: data cannot be read or saved reliably.",
    "supabase": "Parts of the application do not work: data cannot be read or saved reliably.",
    "route-down": "Parts of the application do not work.",
    "error-rate": _BROKEN,
    "probe-error-rate": _BROKEN,
    "response-time": _SLOW,
    "probe-response-time": _SLOW,
    "blocking": _SLOW,
}
_GENERAL = "Parts of the application may not work as usual."
_LOOKING, _OVER = "We are looking into it.", "This is over: the application works as usual again."
_COMPONENT: Mapping[Severity, str] = {
    "critical": "major_outage", "high": "partial_outage", "medium": "degraded_performance",
    "low": "degraded_performance",
}  # fmt: skip
_IMPACT: Mapping[Severity, str] = {"critical": "critical", "high": "major", "medium": "minor", "low": "minor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The incident that the page was told of, as the outbox has it, and not yet of its end."""

    stem: str
    """Its key on the page, and the beginning of its events."""
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """All that is decided from."""

    environment: str
    settings: Statuspage
    now_ms: int
    firing: Sequence[AlertChange]
    quiet: Quiet
    open: Open | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEntry:
    """A message to be put into the outbox."""

    event: str
    title: str
    payload: Payload


def strange(settings: Statuspage, own_rules: Sequence[str]) -> list[str]:
    """What is named for the public and is neither severity nor rule: nobody would ever be told."""
    return [name for name in settings.alerts if name not in {*SEVERITIES, *VISIBLE, *OTHERS, *own_rules}]


def decide(public: Public) -> PublicEntry | None:
    """What is to be told now; None: nothing."""
    if public.quiet.offline:  # what fires is not known to go on, nor what ended to be over
        return None
    firing = [alert for alert in public.firing if is_public(public.settings, alert)]
    if public.open is not None:
        return _goes_on(public, public.open, firing)
    told = [alert for alert in firing if _is_told(public, alert)]
    if not told:
        return None
    first = min(told, key=lambda alert: alert.began_ms)
    return _entry(public, f"a{first.began_ms // 1000:x}", "began", told)


def _goes_on(public: Public, open_: Open, firing: Sequence[AlertChange]) -> PublicEntry | None:
    """Its end, or that it got worse; else nothing: a page that says every change is read by nobody."""
    if not firing:
        return _entry(public, open_.stem, "over", [])
    told = [alert for alert in firing if _is_told(public, alert)]
    if told and SEVERITIES.index(_worst(told).severity) < SEVERITIES.index(open_.severity):
        return _entry(public, open_.stem, "worse", told)
    return None


def is_public(settings: Statuspage, alert: AlertChange) -> bool:
    """Whether the settings name it."""
    return alert.rule in settings.alerts or (alert.severity in settings.alerts and alert.rule in VISIBLE)


def _is_told(public: Public, alert: AlertChange) -> bool:
    """Whether it has lasted long enough, and nobody wants it quiet."""
    lasts_ms = public.now_ms - alert.began_ms
    held = public.quiet.maintenance or public.quiet.holds(alert, public.now_ms)
    return lasts_ms >= public.settings.alert_after_s * 1000 and not held


def _worst(alerts: Sequence[AlertChange]) -> AlertChange:
    return min(alerts, key=lambda alert: (SEVERITIES.index(alert.severity), alert.began_ms))


def _entry(public: Public, stem: str, what: What, alerts: Sequence[AlertChange]) -> PublicEntry:
    settings, worst = public.settings, _worst(alerts) if alerts else None
    severity: Severity = worst.severity if worst is not None else "low"
    if worst is not None:
        text = settings.texts.get(worst.rule) or settings.texts.get("any") or _SENTENCES.get(worst.rule, _GENERAL)
        body, status, component = f"{text} {_LOOKING}", "investigating", _COMPONENT[severity]
    else:
        body, status, component = settings.texts.get("over") or _OVER, "resolved", "operational"
    # Resolving puts no component back by itself. While maintenance is on they say so, and keep saying it.
    states = dict.fromkeys(settings.components, None if public.quiet.maintenance else component)
    update = Update(
        key=stem, environment=public.environment, name=settings.alert_title, status=status, body=body,
        components=states, impact=_IMPACT[severity] if worst is not None else None, mail=settings.alert_email,
    )  # fmt: skip
    told: dict[str, Json] = {"what": what, "stem": stem, "severity": severity}
    return PublicEntry(
        event=f"{public.environment}:public:{stem}:{what}" + (f":{severity}" if what == "worse" else ""),
        title=f"public incident {what}",
        payload={**payload_of(update), "public": told},
    )


def open_of(newest: Mapping[str, Json] | None) -> Open | None:
    """The incident that is open after the newest payload of this kind."""
    told = payload.mapping(newest or {}, "public")
    stem, what, severity = (payload.text(told, name) for name in ("stem", "what", "severity"))
    found: Severity | None = next((each for each in SEVERITIES if each == severity), None)
    if stem is None or found is None or what == "over":
        return None
    return Open(stem=stem, severity=found)
