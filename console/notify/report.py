"""What a message tells of an alert: what, since when, from where, what began just before, what to do, whom to call, and
the command to look. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from console.model.configuration import Contact, Environment
from console.model.finding import INCIDENTS
from console.model.judgement import AlertChange
from console.model.observation import Origin
from console.model.times import date_time, iso
from console.model.views import Reason, Verdict
from console.notify.rules import Entry, name_of
from console.notify.wording import Payload, dedup_key, groups, where_words

_COMPONENTS = {
    "application-down": ("application",),
    "database-connection": ("database",),
    "memory": ("application", "users"),
    "error-rate": ("users", "routes", "application"),
    "probe-error-rate": ("routes", "application"),
    "route-down": ("routes", "application"),
    "connections": ("database",),
    "blocking": ("database",),
    "supabase": ("supabase",),
    "certificate": ("certificate",),
    "egress": ("bastion",),
    "collector-late": ("bastion",),
    "response-time": ("users", "routes", "application"),
    "probe-response-time": ("routes", "application"),
    "vendor": ("vercel", "supabase"),
}
"""Rule to the components whose reasons tell why it fires; of others the first reason does."""
_INCIDENTS = {"security": "security", "vendor": "vendor"}
SEEN_MS = 1000
"""A moment is written in whole seconds; the alert must be there at it."""
_NOT_DONE = "contact "
"""How the verdict begins a step that names a person, who is named by itself."""


def payload_of(entry: Entry, environment: Environment, verdict: Verdict | None, now_ms: int) -> Payload:
    """The message as it stands in the outbox."""
    alert = entry.alert
    until_ms = alert.ended_ms if alert.ended_ms is not None else now_ms
    payload: Payload = {
        "kind": "alert",
        "what": entry.what,
        "where": where_words(environment.name, environment.label),
        "environment": environment.name,
        "label": environment.label,
        "rule": alert.rule,
        "subject": alert.subject,
        "name": name_of(alert),
        "severity": entry.severity,
        "text": alert.text,
        "origin": alert.origin.value,
        "began_ms": alert.began_ms,
        "ended_ms": alert.ended_ms,
        "lasts_s": max(0, until_ms - alert.began_ms) / 1000,
        "by": entry.by,
        "key": dedup_key(environment.name, alert.rule, alert.subject),
        "source": urlsplit(environment.url).hostname or environment.name,
        "facts": dict(_facts(entry, environment, verdict)),
    }
    return groups(payload) if entry.is_grouped else payload


def title_of(entry: Entry) -> str:
    """The message in the list of deliveries."""
    return f"{name_of(entry.alert)} {entry.what}"


def _facts(entry: Entry, environment: Environment, verdict: Verdict | None) -> dict[str, str]:
    alert = entry.alert
    since = f"{date_time(alert.began_ms)} UTC"
    look = f"radar --env {environment.name} --at {iso(alert.began_ms + SEEN_MS)}"
    if entry.what == "ended":
        return {"since": since, "look": look}
    reason = _reason(alert, verdict)
    found = {
        "since": since,
        "from": "" if alert.origin is Origin.NONE else f"{alert.origin.value}: {_origin_words(alert.origin)}",
        "cause": (reason.cause or "") if reason else "",
        "do": _step(reason, verdict),
        "contact": _contact(alert, reason, environment),
        "look": look,
    }
    return {name: text for name, text in found.items() if text}


_ORIGINS = {
    Origin.USERS: "what users' requests show",
    Origin.PROBE: "what radar's own requests show",
    Origin.SQL: "what the database tells",
    Origin.API: "what a vendor's API tells",
    Origin.TLS: "the certificate as served",
    Origin.HOST: "this bastion itself",
    Origin.PROMETHEUS: "what Prometheus tells",
}


def _origin_words(origin: Origin) -> str:
    return _ORIGINS.get(origin, "")


def _reason(alert: AlertChange, verdict: Verdict | None) -> Reason | None:
    """The reason that tells why the alert fires: of its component, else the first."""
    reasons = verdict.reasons if verdict else ()
    wanted = _COMPONENTS.get(alert.rule, ())
    mine = [reason for component in wanted for reason in reasons if reason.component == component]
    if wanted:
        return next((reason for reason in mine if reason.cause), mine[0] if mine else None)
    return next(iter(reasons), None)


def _step(reason: Reason | None, verdict: Verdict | None) -> str:
    """What to do: the verdict's steps are those of its first reason, from which others follow."""
    steps = [step for step in verdict.next_steps if not step.startswith(_NOT_DONE)] if verdict else []
    if reason is None or verdict is None or not steps:
        return ""
    is_first = reason is verdict.reasons[0] or (reason.cause or "").startswith("likely follows from")
    return "; ".join(steps) if is_first else ""


def _contact(alert: AlertChange, reason: Reason | None, environment: Environment) -> str:
    """The first to call for its kind of incident."""
    component = next(iter(_COMPONENTS.get(alert.rule, ())), "")
    kind = reason.incident if reason else _INCIDENTS.get(alert.rule) or INCIDENTS.get(component, component)
    people = (*environment.contacts.get(kind, ()), *environment.contacts.get("any", ()))
    return next((_words(each) for each in people if each.phone or each.email or each.link), "")


def _words(contact: Contact) -> str:
    return " ".join(part for part in (contact.name, contact.phone, contact.email, contact.link) if part)
