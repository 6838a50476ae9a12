"""What a health answer says, judged from its checks. Pure: status, headers and bytes in, a judgement out.

The top-level `status` of the application lies: it says `healthy` while the database check fails. So a good claim
alone proves nothing and a bad one is believed. The check of memory compares heap used with heap allocated and
fails at random on a healthy server (85 of 120 probes of a fresh one), so it never moves the state.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from console.model import payload
from console.model.observation import ErrorKind, Json, Outcome
from console.model.states import State, worst
from console.model.text import clean, decode, redact

FLAPPING = ("memory", "heap")
FLAPPING_MESSAGE = "flaps on a healthy server: no measure"
CHECKS_LIMIT = 50
NAMES_SHOWN = 4


class CheckStatus(StrEnum):
    """What one check says, in the words of the IETF draft; any other word is unknown."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


_PASS_WORDS = (
    "pass passed ok okay up healthy working success good alive ready connected true operational active_healthy"
)
_WARN_WORDS = "warn warning degraded"
_FAIL_WORDS = (
    "fail failed failing error down unhealthy critical bad false unavailable out_of_service shutting_down disconnected"
)
_WORDS = {
    word: status
    for words, status in (
        (_PASS_WORDS, CheckStatus.PASS),
        (_WARN_WORDS, CheckStatus.WARN),
        (_FAIL_WORDS, CheckStatus.FAIL),
    )
    for word in words.split()
}
_STATES = {
    CheckStatus.PASS: State.HEALTHY,
    CheckStatus.WARN: State.DEGRADED,
    CheckStatus.FAIL: State.UNHEALTHY,
    CheckStatus.UNKNOWN: State.UNKNOWN,
}
_SEVERITY = (CheckStatus.FAIL, CheckStatus.WARN, CheckStatus.UNKNOWN, CheckStatus.PASS)
_NESTS = ("checks", "components", "details", "entries")
_KUBERNETES_LINE = re.compile(r"^\[([+-])\](\S{1,80}) (.{1,120})$", re.MULTILINE)
_CHANGING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?|\d+(?:\.\d+)?(?=\s?(?:ms|s|m|%|[kKMG]i?B|bytes|seconds)(?!\w))")
_LOGIN = re.compile(r"log ?in\b|sign ?in\b|password|authentication required|single sign-on|captcha", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part's own word about itself."""

    status: CheckStatus
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A judged health answer. `facts` hold no changing numbers; `checks` are as sent, the flapping one too."""

    outcome: Outcome
    state: State
    words: str
    error_kind: ErrorKind | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)


def parse_health(status: int, headers: Mapping[str, str], body: bytes) -> Health:
    """Judge an answer by HTTP `status`, `headers` (lower-case names) and `body`. Never raises."""
    return intercepted(status, headers, body) or _judge_body(status, headers, body)


def intercepted(status: int, headers: Mapping[str, str], body: bytes) -> Health | None:
    """The judgement when something else answered in the application's place; None when it did itself."""
    challenge = mitigated(status, headers)
    if challenge is not None:
        return challenge
    if is_cached(headers):
        return _blocked(ErrorKind.CACHED, status, "a cache answered, not the application")
    if status == 429:
        return _blocked(ErrorKind.RATE_LIMITED, status, "429: the probe is rate limited")
    if _is_html(headers, body) and (status in (401, 403) or (status < 300 and _LOGIN.search(decode(body[:8192])))):
        return _blocked(ErrorKind.CHALLENGED, status, f"{status}: a login or protection page answered")
    return None


def mitigated(status: int, headers: Mapping[str, str]) -> Health | None:
    """The judgement when Vercel's firewall challenged or denied the probe: it says nothing of the application."""
    action = headers.get("x-vercel-mitigated")
    if not action:
        return None
    words = f"the firewall answered ({clean(action, 40)}), not the application"
    return _blocked(ErrorKind.CHALLENGED, status, words)


def flaps(check: str) -> bool:
    """Whether a check by this name compares memory used with memory allocated: no measure of health."""
    return any(word in check.lower() for word in FLAPPING)


def is_cached(headers: Mapping[str, str]) -> bool:
    """Whether a cache gave the answer: Vercel's says HIT or the like, or `age` is above 0."""
    age = headers.get("age", "").strip()
    return headers.get("x-vercel-cache", "").strip().upper() in ("HIT", "STALE", "PRERENDER") or bool(
        age.isascii() and age.isdigit() and age.strip("0")
    )


def _blocked(kind: ErrorKind, status: int, words: str) -> Health:
    return Health(
        outcome=Outcome.BLOCKED, state=State.UNKNOWN, words=words, error_kind=kind, facts={"http_status": status}
    )


def _judge_body(status: int, headers: Mapping[str, str], body: bytes) -> Health:
    if _is_html(headers, body):
        return _unreadable(status, "HTML instead of a health answer")
    try:
        value = payload.decode_json(body)
    except payload.Unreadable as error:
        return _judge_text(status, decode(body[:16_384])) or _unreadable(status, str(error))
    if isinstance(value, dict):
        return _judge(status, _claim(value), _checks(value), value)
    if isinstance(value, str | bool):
        return _judge(status, str(value), {}, {})
    return _unreadable(status, "the JSON is no object")


def _unreadable(status: int, problem: str) -> Health:
    """Nobody can read it: only a 5xx is a finding about the application."""
    if status in (401, 403):
        return Health(
            outcome=Outcome.FORBIDDEN,
            state=State.UNKNOWN,
            words=f"{status}: the health endpoint refuses the probe",
            error_kind=ErrorKind.CREDENTIALS,
            facts={"http_status": status},
        )
    return Health(
        outcome=Outcome.FAILED,
        state=State.UNHEALTHY if status >= 500 else State.UNKNOWN,
        words=f"{status}: {problem}",
        error_kind=ErrorKind.BODY,
        facts={"http_status": status},
    )


def _judge_text(status: int, text: str) -> Health | None:
    """Kubernetes' `[+]ping ok` lines, or one word such as `OK` or `Healthy`."""
    found = {
        clean(name, 60): Check(status=CheckStatus.PASS if sign == "+" else CheckStatus.FAIL, message=_message(rest))
        for sign, name, rest in _KUBERNETES_LINE.findall(text)[:CHECKS_LIMIT]
    }
    if found:
        return _judge(status, text.strip().rpartition(" ")[2], found, {})
    word = text.strip()
    return _judge(status, word, {}, {}) if status_of(word) is not CheckStatus.UNKNOWN else None


def _judge(status: int, claim: str | None, checks: Mapping[str, Check], value: Mapping[str, Json]) -> Health:
    if status in (401, 403, 404, 405, 410):
        return _unreadable(status, "no health answer at this address")
    measures = {name: check for name, check in checks.items() if not flaps(name)}
    claimed = status_of(claim) if claim is not None else CheckStatus.UNKNOWN
    contradiction = _contradicts(status, claimed, measures)
    return Health(
        outcome=Outcome.ANSWERED,
        state=_state(status, claimed, measures),
        words=_words(status, claim, checks, value, contradiction=contradiction),
        checks=checks,
        facts={
            "http_status": status,
            "claimed": clean(claim, 60) if claim is not None else None,
            "version": payload.text(value, "version") or payload.text(value, "releaseId"),
            "environment": payload.text(value, "environment", limit=60),
            "contradiction": contradiction,
            "checks": {name: _fact(name, check) for name, check in checks.items()},
        },
    )


def _state(status: int, claimed: CheckStatus, measures: Mapping[str, Check]) -> State:
    """The worst that the HTTP status, the checks and a bad claim say; a good claim alone says nothing."""
    if status >= 500:
        return State.UNHEALTHY
    found = [_STATES[check.status] for check in measures.values()]
    if claimed in (CheckStatus.FAIL, CheckStatus.WARN):
        found.append(State.DEGRADED)  # 200 with a body that says fail is a contradiction: degraded at least
    if status >= 400:
        found.append(State.DEGRADED)
    return worst(found) if found else State.UNKNOWN


def _contradicts(status: int, claimed: CheckStatus, measures: Mapping[str, Check]) -> bool:
    """Whether the HTTP status, the claim and the checks do not go together."""
    failing = any(check.status is CheckStatus.FAIL for check in measures.values())
    says_well = claimed is CheckStatus.PASS
    if status >= 400:
        return says_well
    return failing or claimed is CheckStatus.FAIL


def _words(
    status: int, claim: str | None, checks: Mapping[str, Check], value: Mapping[str, Json], *, contradiction: bool
) -> str:
    parts = [f"{status}"] if status >= 400 else []
    parts += [_named(wanted, checks) for wanted in (CheckStatus.FAIL, CheckStatus.WARN, CheckStatus.UNKNOWN)]
    said = f'"{clean(claim, 40)}"' if claim is not None else "nothing"
    error = payload.text(value, "error") or payload.text(value, "output")
    if error is not None:
        parts.append(steady(redact(error)))
    if contradiction:
        parts.append(f"yet it answers {status} and claims {said}")
    elif status >= 400:
        parts.append(f"claims {said}")
    elif all(flaps(name) for name in checks):
        parts.append(f"claims {said} and offers no checks to judge from")
    elif not any(parts):
        parts.append(f"passes: {_names(name for name in checks if not flaps(name))}")
    if any(flaps(name) for name in checks):
        parts.append("memory check flaps: no measure")
    return clean("; ".join(part for part in parts if part))


def _named(wanted: CheckStatus, checks: Mapping[str, Check]) -> str:
    """The checks of one status, with what the first says: `database fails: timeout`."""
    found = [name for name in checks if checks[name].status is wanted and not flaps(name)]
    if not found:
        return ""
    verb = {CheckStatus.FAIL: "fails", CheckStatus.WARN: "warns", CheckStatus.UNKNOWN: "is unknown"}[wanted]
    message = checks[found[0]].message
    return f"{_names(found)} {verb}" + (f": {steady(message)}" if message else "")


def status_of(word: object) -> CheckStatus:
    """What a status word or boolean of any framework means; the enumerations are open, so unknown is possible."""
    if isinstance(word, str | bool):
        return _WORDS.get(str(word).strip().strip(".!").lower(), CheckStatus.UNKNOWN)
    return CheckStatus.UNKNOWN


def steady(text: str) -> str:
    """`text` with durations, sizes, shares and times of day as `…`: a fact that changes each poll is none."""
    return _CHANGING.sub("…", text)


def _claim(value: Mapping[str, Json]) -> str | None:
    for name in ("status", "healthy", "ok"):
        said = value.get(name)
        if isinstance(said, str | bool):
            return str(said)
    return None


def _checks(value: Mapping[str, Json]) -> dict[str, Check]:
    """The nested checks under whichever name; an object of nothing but status words is all checks (Django)."""
    for name in _NESTS:
        nest = value.get(name)
        if isinstance(nest, dict) and nest:
            return _named_checks(nest)
        if isinstance(nest, list) and nest:
            return _named_checks({payload.text(item, "name") or str(place): item for place, item in enumerate(nest)})
    both = {**payload.mapping(value, "info"), **payload.mapping(value, "error")}
    if both:
        return _named_checks(both)
    flat = {name: said for name, said in value.items() if name not in ("status", "healthy", "ok")}
    is_flat = bool(flat) and all(status_of(said) is not CheckStatus.UNKNOWN for said in flat.values())
    return _named_checks(flat) if is_flat else {}


def _named_checks(nest: Mapping[str, Json]) -> dict[str, Check]:
    found = {clean(name, 60): _check(said) for name, said in list(nest.items())[:CHECKS_LIMIT]}
    if len(nest) > CHECKS_LIMIT:
        found[f"{len(nest) - CHECKS_LIMIT} more"] = Check(status=CheckStatus.UNKNOWN, message="too many checks to read")
    return found


def _check(said: Json) -> Check:
    """One check in any of its forms: a word, a boolean, an object, or a list of objects of which the worst counts."""
    if isinstance(said, list):
        several = [_check(item) for item in said[:CHECKS_LIMIT] if not isinstance(item, list)]
        return min(several, key=lambda check: _SEVERITY.index(check.status), default=Check(status=CheckStatus.UNKNOWN))
    if not isinstance(said, dict):
        return Check(status=status_of(said), message=None if isinstance(said, bool) else payload.text(said))
    word = next((said[name] for name in ("status", "healthy", "ok", "state") if name in said), None)
    told = ("message", "output", "error", "description")
    message = next((found for found in (payload.text(said, name) for name in told) if found), None)
    return Check(status=status_of(word), message=_message(message or payload.text(said, "details", "error")))


def _message(text: str | None) -> str | None:
    return redact(clean(text)) if text else None


def _fact(name: str, check: Check) -> Json:
    """A check as a fact. The flapping one is always the same, lest its random answer begin a new span each time."""
    if flaps(name):
        return {"status": CheckStatus.UNKNOWN.value, "message": FLAPPING_MESSAGE}
    return {"status": check.status.value, "message": steady(check.message) if check.message else None}


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    shown = ", ".join(listed[:NAMES_SHOWN])
    return f"{shown} and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else shown


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    start = body[:256].lstrip().lower()
    return "html" in headers.get("content-type", "").lower() or start.startswith((b"<!doctype html", b"<html"))
