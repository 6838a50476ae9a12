"""What a message says, for every channel the same: what, since when, from where, why, what to do. Pure.

The payloads of the outbox are made here and read here: `alert`, `notice`, `test`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.model.notifications import GROUP, Part
from console.model.observation import Json
from console.model.text import clean
from console.model.times import ago, date_time

LATE_MS = 180_000
"""Later than this after it happened, a message says so: a group gathers for half a minute, a retry waits a little."""
OLD_MS = 3_600_000
"""What is older is told in one line, when there is more to tell."""
KEY_LIMIT = 255

Payload = dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One event in words. Nothing in it is escaped for any channel yet."""

    where: str
    """`[production · demo]`."""
    summary: str
    lines: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    """`since`, `from`, `cause`, `do`, `contact`, `look`, as far as they are known."""

    @property
    def title(self) -> str:
        """Where and what, as one line."""
        return clean(f"{self.where} {self.summary}")


def together(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts worth telling: of an alert that ended meanwhile only its end, which says since when it stood."""
    ended = {_occurrence(part) for part in parts if part.payload.get("what") == "ended"}
    return tuple(
        part for part in parts if part.payload.get("what") in (None, "ended") or _occurrence(part) not in ended
    )


def _occurrence(part: Part) -> tuple[Json, Json]:
    """An alert from one beginning to its end."""
    return part.payload.get("key"), part.payload.get("began_ms")


def tellings_of(parts: Sequence[Part], now_ms: int) -> tuple[Telling, ...]:
    """All that is worth telling; what is old in one line, unless there is nothing else."""
    kept = together(parts)
    return tuple(_telling(part, now_ms, full=len(kept) == 1 or now_ms - part.made_ms <= OLD_MS) for part in kept)


def _telling(part: Part, now_ms: int, *, full: bool) -> Telling:
    payload, late_ms = part.payload, now_ms - part.made_ms
    is_alert = payload.get("kind") == "alert"
    where, summary = _texts(payload.get("where")), _alert(payload) if is_alert else part.title
    if not full:
        return Telling(where=where, summary=f"{summary} ({ago(late_ms / 1000)} ago)")
    lines = () if is_alert else tuple(line for line in _texts(payload.get("text")).splitlines() if line)
    if late_ms > LATE_MS:
        late = f"Told late: this was {ago(late_ms / 1000)} ago, at {date_time(part.made_ms)} UTC."
        lines = (late, *lines)
    return Telling(where=where, summary=summary, lines=lines, facts=facts_of(payload))


def facts_of(payload: Mapping[str, Json]) -> dict[str, str]:
    """The facts of a payload that are texts."""
    facts = payload.get("facts")
    if not isinstance(facts, dict):
        return {}
    return {name: text for name, text in facts.items() if isinstance(text, str) and text}


def _alert(payload: Mapping[str, Json]) -> str:
    name, text = _texts(payload.get("name")), _texts(payload.get("text"))
    what, severity = payload.get("what"), _texts(payload.get("severity")).upper()
    told = f"{name}: {text}" if text else name
    lasted = ago(_number(payload.get("lasts_s")))
    if what == "ended":
        return f"resolved after {lasted}: {told}"
    if what == "escalated":
        return f"{severity} still firing after {lasted}, acknowledged by nobody: {told}"
    if what == "acknowledged":
        return f"acknowledged by {_texts(payload.get('by'))}: {told}"
    return f"{severity} {told}"


def _texts(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


# --- payloads ---------------------------------------------------------------------------------------------------------


def where_words(environment: str, label: str | None) -> str:
    """`[production]`, `[production · demo]`."""
    return f"[{environment} · {label}]" if label else f"[{environment}]"


def dedup_key(environment: str, rule: str, subject: str) -> str:
    """Names an alert for as long as it lasts: the same over restarts, at most 255 characters."""
    key = f"{environment}:{rule}:{subject}"
    if len(key) <= KEY_LIMIT:
        return key
    return f"{key[: KEY_LIMIT - 17]}~{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:16]}"


def notice(text: str, *, where: str, facts: Mapping[str, str] | None = None, severity: str = "low") -> Payload:
    """The payload of what is told once and is no alert: maintenance, an action, an announcement."""
    return {"kind": "notice", "where": where, "text": text, "facts": dict(facts or {}), "severity": severity}


def trial_notice(where: str, by: str) -> Payload:
    """The payload of a test."""
    text = "A test of this channel: nothing is wrong. Alerts would come this way."
    return {"kind": "test", "where": where, "text": text, "facts": {"from": by}, "severity": "low"}


def groups(payload: Payload) -> Payload:
    """The payload, told together with others of its channel."""
    return {**payload, "group": GROUP}
