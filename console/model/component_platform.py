"""What the application stands on and what we stand on: Vercel, Supabase, the certificate, this bastion."""

from __future__ import annotations

from collections.abc import Mapping

from console.model.finding import Assessment, Draft, Finding, absent, nothing_known, unseen, well, words_of
from console.model.observation import Json, Origin
from console.model.situation import Situation
from console.model.states import State
from console.model.track import Track
from console.model.words import fitted, milliseconds

SUPABASE_PARTS = {"supabase.gateway": "gateway", "supabase.auth": "auth", "supabase.pooler": "pooler"}
DIRECT_SQL = "postgres.canary"
STOPPED_STATUSES = frozenset({"INACTIVE", "PAUSING", "PAUSE_FAILED", "GOING_DOWN", "REMOVED", "RESTORING"})


def judge_vercel(situation: Situation) -> Assessment:
    """The `vercel` component: the deployment that is live, and what Vercel itself reports."""
    track = situation.track("vercel")
    if track is None:
        return absent("vercel", "vercel", "[environments.NAME.vercel] with token and project reads the deployment.")
    tracks = [track, *vendor_tracks(situation, "vercel")]
    draft = Draft(key="vercel", name="vercel", origin=Origin.API, tracks=tracks)
    production = _mapping(track.fact("production"))
    missing = "no deployment" if track.answered and not track.fails else unseen(situation, track)
    draft.figure = f"live {production['short']}" if production.get("short") else missing
    if not nothing_known(draft, situation, track):
        _judge_deployment(draft, track)
    judge_vendors(draft, situation, tracks[1:])
    return draft.assessed()


def _judge_deployment(draft: Draft, track: Track) -> None:
    if track.fact("paused") is True:
        text = "the project is paused: visitors get 503"
        draft.note(
            "paused", track, text, "Vercel has paused the project.", state=State.UNHEALTHY, incident="deployment"
        )
    elif track.state is not State.HEALTHY:
        words = words_of(track)
        draft.note("state", track, words, f"Vercel: {words}.", state=track.state, incident="deployment")
    else:
        well(draft, track, "The production deployment is live")
    if track.fact("auto_assign") is False:
        draft.say("Production is pinned: new deployments are not put live by themselves.")
    if track.fact("rolling_release") is True:
        draft.say("A rolling release is in progress.")


def judge_supabase(situation: Situation) -> Assessment:
    """The `supabase` component: each way in probed apart, since one can fail while another works."""
    tracks = situation.under("supabase.")
    if not tracks:
        return absent("supabase", "supabase", "[environments.NAME.supabase] with ref probes gateway, auth and pooler.")
    vendors = vendor_tracks(situation, "supabase")
    direct = situation.track(DIRECT_SQL)
    draft = Draft(
        key="supabase", name="supabase", origin=Origin.PROBE, tracks=[*tracks, *([direct] if direct else []), *vendors]
    )
    draft.figure = _supabase_figure(situation, tracks)
    for track in tracks:
        if not nothing_known(draft, situation, track):
            _judge_part(draft, situation, track, direct)
    judge_vendors(draft, situation, vendors)
    return draft.assessed()


def _supabase_figure(situation: Situation, tracks: list[Track]) -> str:
    failing = next((track for track in tracks if situation.state(track) is State.UNHEALTHY), None)
    if failing:
        part = SUPABASE_PARTS.get(failing.target, "project")
        return f"{part} down" if failing.fails else f"{part} {failing.state.value}"
    excused = next((track for track in tracks if situation.excused(track)), None)
    latency = situation.last("supabase.gateway", "latency_ms")
    if latency is not None and excused is None:
        return f"gateway {milliseconds(latency)}"
    gateway = excused or situation.track("supabase.gateway")
    return unseen(situation, gateway) if gateway and gateway.fails else "no answer yet"


def _judge_part(draft: Draft, situation: Situation, track: Track, direct: Track | None) -> None:
    part = SUPABASE_PARTS.get(track.target, "project")
    if track.state is State.HEALTHY:
        well(draft, track, f"{part.capitalize()} is good")
        return
    # What the platform sees of its services is an effect of what our own probes of them see; a pause is a cause.
    part = "services" if part == "project" and track.fact("status") not in STOPPED_STATUSES else part
    words = words_of(track, _beside(situation, part, direct))
    text = part_text(part, words)
    draft.note(part, track, text, f"{text[0].upper()}{text[1:]}.", state=track.state, incident="database")


def part_text(part: str, words: str) -> str:
    """`gateway: answers 502`; what says by itself of what it speaks gets no second name before it."""
    if not words.startswith("project "):
        return f"{part}: {words}"
    project, _, services = words.partition("; ")
    return services if project == "project active_healthy" and services.startswith("services: ") else words


def _beside(situation: Situation, part: str, direct: Track | None) -> str:
    """What direct SQL does meanwhile: that parts the gateway's faults from the database's."""
    if part not in SUPABASE_PARTS.values() or direct is None:
        return ""
    state = situation.state(direct)
    if state is State.HEALTHY:
        return " while direct SQL works"
    return ", direct SQL fails too" if state is State.UNHEALTHY else ""


def vendor_tracks(situation: Situation, name: str) -> list[Track]:
    """The status pages of a vendor by that name."""
    return [track for track in situation.under("vendor:") if name in track.target.lower()]


def judge_vendors(draft: Draft, situation: Situation, tracks: list[Track]) -> None:
    """What the vendors' own status pages report. That a page cannot be read is no finding about the vendor."""
    for track in tracks:
        vendor = track.target.partition(":")[2]
        if track.answered is None or situation.state(track) is State.UNKNOWN:
            draft.say(f"{vendor}'s status page is not read: {words_of(track)}.")
        elif not reports(track):
            draft.say(f"{vendor}'s status page reports nothing.")
        else:
            draft.find(vendor_finding(draft.key, track), f"{vendor} reports {incident_words(track)}.")


def reports(track: Track) -> bool:
    """Whether a status page reports an incident that concerns us."""
    if track.answered is None or track.answered.state is State.HEALTHY:
        return False
    incidents = track.fact("incidents")
    return bool(incidents) or track.fact("indicator") not in (None, "none")


def incident_words(track: Track) -> str:
    """What a status page reports: its first incident, else its description."""
    incidents = track.fact("incidents")
    first = _mapping(incidents[0]) if isinstance(incidents, list) and incidents else {}
    name = first.get("name") or track.fact("description") or track.fact("indicator") or "an incident"
    impact = first.get("impact") or track.fact("indicator")
    return f'"{name}"' + (f" ({impact})" if impact and impact != "none" else "")


def vendor_finding(component: str, track: Track) -> Finding:
    """A vendor's incident as a finding."""
    vendor = track.target.partition(":")[2]
    return Finding(
        key=f"{component}.vendor:{vendor}",
        component=component,
        state=State.DEGRADED,
        text=f"{vendor} reports {fitted(incident_words(track), 60)}",
        origin=Origin.API,
        since=track.trouble_since,
        incident="vendor",
        vendor=vendor,
    )


def judge_certificate(situation: Situation) -> Assessment:
    """The `certificate` component: the one that ends first."""
    tracks = situation.under("certificate:")
    if not tracks:
        return absent("certificate", "certificate", "The url is not https, so there is no certificate to watch.")
    draft = Draft(key="certificate", name="certificate", origin=Origin.TLS, tracks=tracks)
    draft.figure = _certificate_figure(situation, tracks)
    for track in tracks:
        dated = days(situation, track.target) is not None and not situation.excused(track)
        if dated or not nothing_known(draft, situation, track):
            _judge_one_certificate(draft, situation, track)
    return draft.assessed()


def days(situation: Situation, target: str) -> tuple[float, float] | None:
    """Days left and days of life of a certificate, as last seen: its dates do not change between polls."""
    left = situation.windows.newest(f"{target}|days_left", 1)
    life = situation.windows.newest(f"{target}|lifetime_days", 1)
    return (left[0], life[0]) if left and life else None


def _certificate_figure(situation: Situation, tracks: list[Track]) -> str:
    known = [found for track in tracks if (found := days(situation, track.target))]
    if not known:
        failing = next((track for track in tracks if track.fails), None)
        return unseen(situation, failing) if failing else "not seen yet"
    left, life = min(known)
    return f"{left:.0f} of {life:.0f} days left" if left >= 0 else f"expired {-left:.0f} d ago"


def _judge_one_certificate(draft: Draft, situation: Situation, track: Track) -> None:
    """By its dates and its trust, as last seen: they do not change while the server is not reached."""
    host, words = track.target.partition(":")[2], track.answered.words if track.answered else words_of(track)
    if _is_invalid(situation, track):
        state = State.UNHEALTHY if track.state is State.UNHEALTHY else State.DEGRADED
        draft.note(f"invalid:{host}", track, f"{host}: {words}", f"{host}: {words}.", state=state)
    elif track.answered and track.answered.state is not State.HEALTHY:
        found = days(situation, track.target)
        left = f", {found[0]:.0f} of {found[1]:.0f} days left" if found else ""
        sentence = f"{host}: {words}. It is valid still, so users notice nothing yet."
        draft.note(f"ends:{host}", track, f"{host}: {words}{left}", sentence, state=State.DEGRADED)
    else:
        well(draft, track, f"{host}'s certificate is {words}")


def _is_invalid(situation: Situation, track: Track) -> bool:
    """Whether browsers refuse it now: not trusted, expired, or not valid yet."""
    found = days(situation, track.target)
    is_early = isinstance(begin := track.fact("not_before_ms"), int) and begin > situation.now.wall_ms
    return track.fact("verified") is False or is_early or (found is not None and found[0] <= 0)


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
