"""The rules of D4 and those that a truthful Health needs, each a pure measure of the situation."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from console.model import custom_rules, slo
from console.model.alerts import AlertRule, Measure, Measured, Says
from console.model.component_bastion import KEY as BASTION
from console.model.component_database import ACTIVITY, blockers, connections, fresh, held
from console.model.component_platform import SUPABASE_PARTS, days, incident_words, part_text, reports, vendor_tracks
from console.model.component_routes import MINIMUM_SAMPLES, PREFIX, probe_figures
from console.model.component_users import TARGET, told_by, users
from console.model.components import state_of
from console.model.configuration import Severity
from console.model.finding import Assessment, words_of
from console.model.goes_on import mean_goes_on, share_goes_on
from console.model.observation import ErrorKind, Origin
from console.model.situation import RECENT_S, Online, Situation, online
from console.model.states import State
from console.model.track import Track
from console.model.windows import UNANSWERED
from console.model.words import listed, milliseconds, percent, seconds, window_words

CONNECTION_FAILURES = "database|connection_failures"
"""The collector's own series: confirmed failures to connect since the round before."""
RESOLVE_SHARE = 0.8
"""An alert ends when its value is under this share of its limit."""
SECURITY_MS = 900_000
"""A security incident is held to go on for fifteen minutes after its last event."""
MANY_ROUTES = 3


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the rules are applied to: the situation and the components as assessed in it."""

    situation: Situation
    assessments: Sequence[Assessment]


def measure_all(situation: Situation, assessments: Sequence[Assessment]) -> Measured:
    """Every rule with its measures of this round."""
    rounds = Rounds(situation, assessments)
    built_in = [(rule, measure(rounds)) for rule, measure in _rules(situation)]
    return [*built_in, *custom_rules.measure_all(situation)]


def _rules(situation: Situation) -> list[tuple[AlertRule, Callable[[Rounds], Sequence[Measure]]]]:
    limits = situation.environment.thresholds
    error, response = percent(limits.alert_error_share), milliseconds(limits.alert_response_ms)
    probes = f"mean > {response} with time-outs"
    return [
        (_rule("application-down", "critical", "application unhealthy", for_s=15), _application),
        (_rule("database-connection", "critical", "connection failures > 0 over 5 min", resolve_s=0), _connection),
        (_rule("memory", "critical", f"> {percent(limits.memory_share)} over 5 min", "share", for_s=30), _memory),
        (_rule("error-rate", "high", f"> {error} over 5 min, 20 requests", "share", for_s=30), _error_rate),
        (_rule("probe-error-rate", "high", f"> {error} of probes over 5 min", "share", for_s=30), _probe_errors),
        (_rule("route-down", "high", "a route unhealthy", for_s=30), _routes),
        (_rule("connections", "high", f"> {percent(limits.connections_alert_share)}", "share", for_s=60), _connections),
        (_rule("blocking", "high", f"waits > {seconds(limits.blocked_alert_s)}", "s"), _blocking),
        (_rule("supabase", "high", "a part unhealthy", for_s=60), _supabase),
        (_rule("certificate", "high", "not valid, or near its end", "d", resolve_s=0), _certificates),
        (_rule("security", "high", _security_condition(situation), resolve_s=0), _security),
        (_rule("egress", "high", "this bastion is offline", for_s=60), _egress),
        (_rule("response-time", "medium", f"mean > {response} over 5 min", "ms", for_s=30), _response),
        (_rule("probe-response-time", "medium", f"{probes} over 5 min", "ms", for_s=30), _probe_response),
        (_rule("collector-late", "medium", "a source is not polled in time", for_s=60), _late),
        (_rule("vendor", "low", "a vendor reports an incident", for_s=60), _vendors),
        *((_burn_rule(pair), partial(_burning, pair)) for pair in slo.PAIRS),
    ]


def _rule(
    name: str, severity: Severity, condition: str, unit: str = "", for_s: float = 0, resolve_s: float = 60
) -> AlertRule:
    return AlertRule(
        name=name, severity=severity, condition=condition, unit=unit, for_s=float(for_s), resolve_s=float(resolve_s)
    )


# --- measures that compare a figure with its limit --------------------------------------------------------------------


def _over(
    subject: str,
    value: float | None,
    limit: float,
    *,
    text: str,
    origin: Origin,
    unknown: Says = Says.UNKNOWN,
    goes_on: bool = True,
) -> Measure:
    """A figure that must not be over its limit. Held is held, even while older samples give a figure. What only the
    older samples of the window show begins no alert, and ends none."""
    if value is None or unknown is Says.HELD:
        return Measure(subject=subject, says=unknown, origin=origin, limit=limit)
    says = Says.CLEARED if value <= limit * RESOLVE_SHARE else Says.BETWEEN
    says = Says.BREACHED if value > limit and goes_on else says
    return Measure(subject=subject, says=says, text=text, origin=origin, value=value, limit=limit)


def _unknown(situation: Situation, tracks: Sequence[Track]) -> Says:
    held = any(situation.excused(track) or situation.maintained(track) for track in tracks)
    return Says.HELD if held else Says.UNKNOWN


def _burn_rule(pair: slo.Pair) -> AlertRule:
    """Both windows over the limit: together they are the duration, so there is none besides."""
    long, short = window_words(pair.long_s), window_words(pair.short_s)
    return _rule(pair.rule, pair.severity, f"budget burns > {pair.limit:g} x over {long} and {short}", "x")


def _burning(pair: slo.Pair, rounds: Rounds) -> Sequence[Measure]:
    """How fast the error budgets burn; the lesser of both windows is what still keeps the rule from firing."""
    situation = rounds.situation
    found = [target for target in slo.targets(situation.environment.thresholds) if target.key in slo.ALERTED]
    return [_burn_of(situation, pair, target) for target in found]


def _burn_of(situation: Situation, pair: slo.Pair, target: slo.Target) -> Measure:
    rates = (rate for rate in situation.burn.get(target.key, ()) if (rate.long_s, rate.short_s) == pair.windows_s)
    rate = next(rates, None)
    is_users = target.origin is Origin.USERS
    tracks = situation.under(TARGET) if is_users else _probed(situation)
    origin = told_by(situation.environment) if is_users else target.origin
    text = f"the error budget of 30 days for {target.name} burns more than {pair.limit:g} times as fast as it may"
    value = slo.lesser(rate) if rate else None
    unknown = _unknown(situation, tracks)
    return _over(target.key, value, pair.limit, text=text, origin=origin, unknown=unknown)


def _users_over(
    situation: Situation, subject: str, value: float | None, limit: float, text: str, *, goes_on: bool = True
) -> Measure:
    unknown, origin = _unknown(situation, situation.under(TARGET)), told_by(situation.environment)
    if subject == "users" and any(situation.maintained(track) for track in situation.under(PREFIX)):
        unknown = Says.HELD  # what they met before is no news now, and to be turned away is no error
    return _over(subject, value, limit, text=text, origin=origin, unknown=unknown, goes_on=goes_on)


def _error_rate(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    share, limit = users(situation).error_share, situation.environment.thresholds.alert_error_share
    text = f"more than {percent(limit)} of the users' requests fail"

    def part(window_s: float) -> tuple[float, float]:
        newest = users(situation, window_s)
        return newest.errors, newest.requests or 0.0

    return [_users_over(situation, "users", share, limit, text, goes_on=share_goes_on(share, limit, part))]


def _response(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    mean, limit = users(situation).mean_ms, situation.environment.thresholds.alert_response_ms
    text = f"the users wait longer than {milliseconds(limit)} on average"

    def part(window_s: float) -> tuple[float | None, float]:
        newest = users(situation, window_s)
        return newest.mean_ms, newest.requests or 0.0

    return [_users_over(situation, "users", mean, limit, text, goes_on=mean_goes_on(limit, part))]


def _memory(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    share, limit = users(situation).memory_share, situation.environment.thresholds.memory_share
    text = f"the application's memory is over {percent(limit)} of its limit"
    return [_users_over(situation, "application", share, limit, text)]


def _probe_errors(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    figures, limit = probe_figures(situation), situation.environment.thresholds.alert_error_share
    share = figures.failures / figures.polls if figures.polls >= MINIMUM_SAMPLES else None
    text, unknown = f"more than {percent(limit)} of the probes fail", _unknown(situation, situation.under(PREFIX))

    def part(window_s: float) -> tuple[float, float]:
        oks = [ok for track in situation.under(PREFIX) for ok in situation.numbers(track.target, "ok", window_s)]
        return oks.count(0.0), len(oks)

    goes_on = share_goes_on(share, limit, part)
    return [_over("routes", share, limit, text=text, origin=Origin.PROBE, unknown=unknown, goes_on=goes_on)]


def _probe_response(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    limit = situation.environment.thresholds.alert_response_ms
    found = {track.target: _probed_ms(situation, track) for track in situation.under(PREFIX)}
    enough = {target: statistics.fmean(values) for target, values in found.items() if len(values) >= MINIMUM_SAMPLES}
    slowest = max(enough, key=lambda target: enough[target], default=None)
    value = enough[slowest] if slowest else None
    text = f"{(slowest or '').removeprefix(PREFIX)} takes longer than {milliseconds(limit)} on average"
    unknown = _unknown(situation, situation.under(PREFIX))
    goes_on = mean_goes_on(limit, partial(_mean_probed, situation, slowest or ""))
    return [_over("routes", value, limit, text=text, origin=Origin.PROBE, unknown=unknown, goes_on=goes_on)]


def _mean_probed(situation: Situation, target: str, window_s: float) -> tuple[float | None, float]:
    track = situation.track(target)
    values = _probed_ms(situation, track, window_s) if track else []
    return (statistics.fmean(values) if values else None), len(values)


def _probed_ms(situation: Situation, track: Track, window_s: float = RECENT_S) -> list[float]:
    """Latencies; a poll that gave no answer in time took at least as long as it was waited for."""
    answered = situation.numbers(track.target, "latency_ms", window_s)
    return answered + situation.numbers(track.target, UNANSWERED, window_s)


def _connections(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    limit = situation.environment.thresholds.connections_alert_share
    unknown = _unknown(situation, situation.under(ACTIVITY))
    if any(track.error_kind is ErrorKind.LIMIT and track.bad for track in situation.under("postgres.")):
        text = f"connections exhausted: the database refuses more{held(situation)}"
        return [Measure(subject="database", says=Says.BREACHED, text=text, origin=Origin.SQL, limit=limit)]
    found = connections(situation) if fresh(situation, ACTIVITY) else None
    share = found[0] / max(1, found[1]) if found else None
    text = f"{found[0]} of {found[2]} connections{held(situation)}" if found else ""
    return [_over("database", share, limit, text=text, origin=Origin.SQL, unknown=unknown)]


def _blocking(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    limit = situation.environment.thresholds.blocked_alert_s
    found = max(blockers(situation), key=lambda each: each.longest_s, default=None)
    value = None if fresh(situation, ACTIVITY) is None else found.longest_s if found else 0.0
    text = f"pid {found.pid} {found.who} has blocked others for longer than {seconds(limit)}" if found else ""
    unknown = _unknown(situation, situation.under(ACTIVITY))
    return [_over("database", value, limit, text=text, origin=Origin.SQL, unknown=unknown)]


def _connection(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    counts = situation.windows.numbers(CONNECTION_FAILURES, RECENT_S, situation.now)
    value = sum(counts) if counts else None
    tracks = [*situation.under("postgres."), *situation.under("health")]
    words = next((words_of(track) for track in tracks if track.trouble), "")
    text = "connections to the database fail" + (f": {words}" if words else "")
    origin = Origin.SQL if situation.under("postgres.") else Origin.PROBE
    return [_over("database", value, 0.0, text=text, origin=origin, unknown=_unknown(situation, tracks))]


# --- measures that follow a state -------------------------------------------------------------------------------------


def _by_state(situation: Situation, subject: str, state: State, tracks: Sequence[Track], text: str) -> Measure:
    """UNHEALTHY breaches; HEALTHY and DEGRADED clear; anything else says nothing."""
    shut = state is State.DEGRADED and any(situation.maintained(track) for track in tracks)
    says = Says.HELD if shut else _STATE_SAYS.get(state, _unknown(situation, tracks))
    return Measure(subject=subject, says=says, text=text, origin=Origin.PROBE)


_STATE_SAYS = {State.UNHEALTHY: Says.BREACHED, State.DEGRADED: Says.CLEARED, State.HEALTHY: Says.CLEARED}


def _application(rounds: Rounds) -> Sequence[Measure]:
    situation, key = rounds.situation, "application"
    found = [finding for each in rounds.assessments for finding in each.findings if finding.component == key]
    tracks = _probed(situation)
    text = found[0].text if found else ""
    return [_by_state(situation, key, state_of(rounds.assessments, key), tracks, text)]


def _probed(situation: Situation) -> list[Track]:
    return [track for name in ("health", "ping") if (track := situation.track(name))]


def _routes(rounds: Rounds) -> Sequence[Measure]:
    """One alert for all routes when all fail, not one for each."""
    situation = rounds.situation
    tracks = situation.under(PREFIX)
    states = {track.target: situation.state(track) for track in tracks}
    all_down = len(tracks) >= MANY_ROUTES and set(states.values()) == {State.UNHEALTHY}
    whole = State.UNHEALTHY if all_down else State.HEALTHY
    if not all_down and any(situation.maintained(track) for track in tracks):
        whole = State.DEGRADED
    each = [
        _by_state(situation, track.target.removeprefix(PREFIX), states[track.target], [track], _route_text(track))
        for track in tracks
    ]
    if all_down:
        each = [Measure(subject=one.subject, says=Says.UNKNOWN) for one in each]
    if len(tracks) < MANY_ROUTES:
        return each
    return [_by_state(situation, "all routes", whole, tracks, f"all {len(tracks)} routes fail"), *each]


def _route_text(track: Track) -> str:
    return f"{track.target.removeprefix(PREFIX)}: {words_of(track)}"


def _supabase(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    return [
        _by_state(
            situation,
            SUPABASE_PARTS.get(track.target, "project"),
            situation.state(track),
            [track],
            part_text(SUPABASE_PARTS.get(track.target, "project"), words_of(track)),
        )
        for track in situation.under("supabase.")
    ]


def _certificates(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    return [_certificate(situation, track) for track in situation.under("certificate:")]


def _certificate(situation: Situation, track: Track) -> Measure:
    host, found = track.target.partition(":")[2], days(situation, track.target)
    limits = situation.environment.thresholds
    if track.fact("verified") is False:
        return Measure(subject=host, says=Says.BREACHED, text=f"{host}: {words_of(track)}", origin=Origin.TLS)
    if found is None:
        return Measure(subject=host, says=_unknown(situation, [track]), origin=Origin.TLS)
    left, life = found
    # One that lives six days would always be below a limit of seven.
    few_days = min(limits.certificate_alert_days, life * limits.certificate_warn_fraction)
    limit = max(few_days, life * limits.certificate_alert_fraction)
    good = Says.HELD if situation.excused(track) else Says.CLEARED
    says = Says.BREACHED if left < limit else good
    text = f"{host} ends in less than {seconds(limit * 86_400)}"
    return Measure(subject=host, says=says, text=text, origin=Origin.TLS, value=left, limit=limit)


def _security(rounds: Rounds) -> Sequence[Measure]:
    situation = rounds.situation
    since_ms = situation.now.wall_ms - SECURITY_MS
    events = [event for event in situation.events if event.kind == "security" and event.at_ms >= since_ms]
    newest = {event.subject: event for event in events}
    found = [
        Measure(subject=subject, says=Says.BREACHED, text=event.text, origin=Origin.PROBE, value=1.0)
        for subject, event in newest.items()
    ]
    return [*found, _attack(situation)]


def _security_condition(situation: Situation) -> str:
    """What feeds the rule; without a token for Vercel nothing does."""
    return "Vercel's attack mode is on" if situation.track("vercel") else "not watched yet: no Vercel token"


def _attack(situation: Situation) -> Measure:
    """Whether somebody has put Vercel into its attack mode, as far as it was read."""
    track = fresh(situation, "vercel")
    on = track.fact("attack_mode") if track else None
    text = "Vercel's attack mode is on: every visitor is challenged, API clients are blocked"
    says = {True: Says.BREACHED, False: Says.CLEARED}.get(on) if isinstance(on, bool) else None
    says = says or _unknown(situation, situation.under("vercel"))
    return Measure(subject="application", says=says, text=text, origin=Origin.API)


def _egress(rounds: Rounds) -> Sequence[Measure]:
    says = {Online.NO: Says.BREACHED, Online.YES: Says.CLEARED, Online.NO_NAMES: Says.BREACHED}
    text = "this bastion is offline: what it cannot reach is unknown, alerts on it are held"
    found = says.get(online(rounds.situation), Says.UNKNOWN)
    return [Measure(subject=BASTION, says=found, text=text, origin=Origin.HOST)]


def _late(rounds: Rounds) -> Sequence[Measure]:
    late = list(rounds.situation.late)
    says = Says.BREACHED if late else Says.CLEARED
    text = f"sources are not polled in time, first {listed(late)}"
    return [Measure(subject="collector", says=says, text=text, origin=Origin.HOST, value=float(len(late)), limit=0.0)]


def _vendors(rounds: Rounds) -> Sequence[Measure]:
    return [_vendor(track) for track in vendor_tracks(rounds.situation, "")]


def _vendor(track: Track) -> Measure:
    name = track.target.partition(":")[2]
    if track.answered is None or track.state is State.UNKNOWN:
        return Measure(subject=name, says=Says.UNKNOWN, origin=Origin.API)
    says = Says.BREACHED if reports(track) else Says.CLEARED
    return Measure(subject=name, says=says, text=f"{name} reports {incident_words(track)}", origin=Origin.API)
