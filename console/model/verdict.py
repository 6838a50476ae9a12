"""The verdict: what is wrong, worst first and causes before effects, what began just before, and whose it is."""

from __future__ import annotations

from collections.abc import Sequence

from console.model.causes import Change, Dated, Ranked, cause_words, change_before, commit_of, in_order
from console.model.component_platform import incident_words, reports, vendor_tracks
from console.model.finding import Assessment
from console.model.observation import Event
from console.model.situation import Online, Situation, online
from console.model.states import State, rank, worst
from console.model.track import Track
from console.model.views import Reason, Verdict, Whose, Wish
from console.model.words import fitted, time_of_day

REASONS = 12
MESSAGE_WIDTH = 300
_VENDOR_OF = {
    "application": "vercel",
    "routes": "vercel",
    "users": "vercel",
    "vercel": "vercel",
    "certificate": "vercel",
    "database": "supabase",
    "supabase": "supabase",
}
"""On whose ground a component stands."""
VENDOR_INCIDENT_MS = 6 * 3_600_000
"""An incident that a vendor reported longer than this before the fault began is not taken for its cause."""
VENDOR_LATE_MS = 1_800_000
"""Status pages tell late, and date what they tell late, too; what began later than this is another matter."""
_OUR_OWN = (
    "database.blocking", "database.idle", "database.connections", "database.exhausted", "database.rights",
    "users.memory", "application.check:memory", "certificate.ends", "vercel.paused",
)  # fmt: skip
"""Kinds of findings that name whose they are: a session, a pool, a setting, all of them ours."""


def conclude(situation: Situation, assessments: Sequence[Assessment], findings: Sequence[Dated]) -> Verdict:
    """The verdict on the components as assessed; `findings` are theirs, with the moment since when each stands."""
    ranked = in_order(findings)
    whose, words = _whose(situation, ranked)
    return Verdict(
        state=_state(situation, assessments, findings),
        reasons=tuple(_reason(situation, each) for each in ranked[:REASONS]),
        whose=whose,
        whose_words=words,
        next_steps=_next_steps(situation, ranked),
        suggested=_suggested(situation, ranked),
    )


def _state(situation: Situation, assessments: Sequence[Assessment], findings: Sequence[Dated]) -> State:
    """The worst of what is known. An offline bastion is no fault of the application: then the whole is unknown."""
    offline = online(situation) is Online.NO
    states = [each.judgement.state for each in assessments if not _says_nothing(each, offline=offline)]
    states += [each.finding.state for each in findings if each.finding.component == "vendors"]
    if offline:
        states.append(State.UNKNOWN)
    return worst(states)


def _says_nothing(assessment: Assessment, *, offline: bool) -> bool:
    judgement = assessment.judgement
    if judgement.key == "bastion" and offline:
        return True
    return assessment.structural and rank(judgement.state) <= rank(State.UNKNOWN)


# --- reasons ----------------------------------------------------------------------------------------------------------


def _reason(situation: Situation, ranked: Ranked) -> Reason:
    dated = ranked.dated
    finding = dated.finding
    return Reason(
        key=finding.key,
        state=finding.state,
        component=finding.component,
        text=_text(dated),
        since_ms=dated.since_ms,
        origin=finding.origin,
        cause=_cause(situation, ranked),
        incident=finding.incident,
    )


def _text(dated: Dated) -> str:
    """`/api/v1/audits 38 % 5xx, 47 of 124`: component, time and origin stand beside it."""
    return fitted(", ".join(part for part in (dated.finding.text, dated.finding.evidence) if part), MESSAGE_WIDTH)


def _cause(situation: Situation, ranked: Ranked) -> str | None:
    if ranked.root is not None:
        return f"likely follows from {_named(ranked.root)}"
    change = change_before(ranked.dated, situation.events)
    if change is not None:
        return cause_words(change, situation.now.wall_ms)
    vendor = _reporting(situation, ranked.dated)
    return f"{_name(vendor)} reports {incident_words(vendor)}" if vendor else None


def _named(dated: Dated) -> str:
    """A finding by name, without the numbers in its text: the cause of a reason is part of what it is."""
    component, _, what = dated.finding.kind.partition(".")
    return f"{component} {what}".strip()


def _next_steps(situation: Situation, ranked: Sequence[Ranked]) -> tuple[str, ...]:
    if not ranked:
        return ()
    top = ranked[0].dated
    change = change_before(top, situation.events)
    steps = [_undo(situation, change) if change else None, top.finding.next_step]
    if top.finding.kind != MAINTENANCE:  # which somebody began on purpose
        steps += [_vendors_support(situation, top.finding.vendor) or _contact(situation, top.finding.incident)]
    return tuple(step for step in steps if step)


MAINTENANCE = "routes.maintenance"


def _contact(situation: Situation, incident: str) -> str | None:
    """The first person to call for a kind of incident."""
    contacts = situation.environment.contacts
    people = (*contacts.get(incident, ()), *contacts.get("any", ()))
    return next((f"contact {contact.name}" for contact in people if contact.phone or contact.email), None)


def _vendors_support(situation: Situation, vendor: str | None) -> str | None:
    """Whom to call at the vendor that reports the incident: its own people, not another vendor's."""
    people = situation.environment.contacts.get("vendor", ()) if vendor else ()
    named = [contact for contact in people if (vendor or "").lower() in contact.name.lower()]
    return next((f"contact {each.name}" + (f", {each.link}" if each.link else "") for each in named), None)


def _undo(situation: Situation, change: Change) -> str | None:
    """The words for it, where it can be undone; where that was done already, that what is shown lags behind."""
    later = _live_since(situation, change)
    if _is_undoable(change) and later is not None:
        what = "rolled back to" if later.kind == "rollback" else "live is"
        when = time_of_day(later.at_ms, situation.now.wall_ms)
        return f"look on: {what} {commit_of(later) or 'another one'} {when}; figures lag by minutes"
    return f"roll back {commit_of(change.event)}: radar rollback" if _is_undoable(change) else None


def _is_undoable(change: Change) -> bool:
    """Whether it is a deployment that likely is the cause; what puts an earlier one back is not to be undone."""
    event = change.event
    known = event.kind == "deployment" and event.subject == "vercel" and commit_of(event) is not None
    return known and change.is_likely and not change.restores


def _live_since(situation: Situation, change: Change) -> Event | None:
    """What went live after it: then a rollback would take away the cure."""
    moves = [event for event in situation.events if event.kind in ("deployment", "rollback")]
    later = [event for event in moves if event.subject == "vercel" and event.at_ms > change.event.at_ms]
    return max(later, key=lambda event: event.at_ms, default=None)


def _suggested(situation: Situation, ranked: Sequence[Ranked]) -> Wish | None:
    """The action that undoes the likely cause of the worst reason."""
    change = change_before(ranked[0].dated, situation.events) if ranked else None
    if change is None or not _is_undoable(change) or _live_since(situation, change) is not None:
        return None
    return "rollback", {}


# --- whose ------------------------------------------------------------------------------------------------------------


def _whose(situation: Situation, ranked: Sequence[Ranked]) -> tuple[Whose, str]:
    """Whose fault, and why so, in words."""
    if not ranked:
        return "", _vendors_words(situation)
    top = ranked[0].dated
    if top.finding.component == "bastion":
        return "bastion", _bastion_words(situation)
    vendor = _vendor_at_fault(situation, ranked)
    if vendor is not None:
        return "vendor", f"vendor: {_name(vendor)} reports {incident_words(vendor)}"
    if top.finding.component == "supabase":
        return "supabase", f"supabase, by what is seen; {_vendors_words(situation)}"
    if top.finding.state is State.UNKNOWN:
        return "unknown", f"not known; {_vendors_words(situation)}"
    return "us", _vendors_words(situation)


def _bastion_words(situation: Situation) -> str:
    if online(situation) is Online.NO:
        return "this bastion is offline: what it cannot reach is unknown"
    return "this bastion"


def _vendor_at_fault(situation: Situation, ranked: Sequence[Ranked]) -> Track | None:
    """The vendor that reports an incident where the worst fault stands, unless a change of ours came just before."""
    top = ranked[0].dated
    change = change_before(top, situation.events)
    if change is not None and change.is_likely:
        return None
    if top.finding.vendor:
        return situation.track(f"vendor:{top.finding.vendor}")
    return _reporting(situation, top)


def _reporting(situation: Situation, dated: Dated) -> Track | None:
    finding = dated.finding
    name = _VENDOR_OF.get(finding.component)
    if name is None or finding.vendor or finding.key in _OUR_OWN or finding.kind in _OUR_OWN:
        return None
    return next((each for each in vendor_tracks(situation, name) if _reports_near(each, dated)), None)


def _reports_near(track: Track, dated: Dated) -> bool:
    if not reports(track) or (track.state is State.UNKNOWN and track.fails):
        return False  # nothing, or nothing that is still read
    incidents = track.fact("incidents")
    begins = (
        [item.get("since_ms") for item in incidents if isinstance(item, dict)] if isinstance(incidents, list) else []
    )
    known = [begin for begin in begins if isinstance(begin, int)]
    return not known or any(-VENDOR_LATE_MS <= dated.since_ms - begin <= VENDOR_INCIDENT_MS for begin in known)


def _vendors_words(situation: Situation) -> str:
    pages = vendor_tracks(situation, "")
    if not pages:
        return "vendors: not watched"
    reporting = [_name(track) for track in pages if reports(track)]
    if reporting:
        return f"vendors: {', '.join(reporting)} reporting"
    unread = [_name(track) for track in pages if track.state is State.UNKNOWN]
    return f"vendors: {', '.join(unread)} not read" if unread else "vendors: none reporting"


def _name(track: Track) -> str:
    return track.target.partition(":")[2]
