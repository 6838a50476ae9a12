"""The routes of the application, probed from here: a probe's figures, never the users'."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from console.model.finding import Assessment, Draft, Finding, absent, nothing_known, unseen, well, words_of
from console.model.histograms import nearest_rank
from console.model.moment import Moment
from console.model.observation import Origin
from console.model.situation import RECENT_S, Situation
from console.model.states import State, worst
from console.model.track import Track, fault_kind, is_turned_away
from console.model.windows import UNANSWERED, Estimate, waited
from console.model.words import counted, listed, milliseconds, percent, time_of_day

KEY = "routes"
PREFIX = "route:"
MINIMUM_SAMPLES = 20
"""A share or a p95 of fewer samples is chance."""
MINIMUM_FAILURES = 3
LATEST_S = 60.0
"""Window over all routes together, so that a fault shows before one route alone has twenty samples."""
LATEST_SAMPLES = 12
UNHEALTHY_SHARE = 0.20
SLOW_FACTOR = 3.0
"""Two probes in a row this much slower than the route's own median, or than its limit, are a fault at once."""
OVER_AT = 4.0
"""Errors are over when as many good polls in a row had a chance of e⁻⁴ (2 %) at their rate."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route's polls of the last five minutes (1.0 good, 0.0 failed) and of the last one, oldest first."""

    path: str
    track: Track
    state: State
    polls: Sequence[float]
    latest: Sequence[float]
    latencies_ms: Sequence[float]
    latest_ms: Sequence[float]
    waited_ms: Sequence[float]
    """Time-outs of the last five minutes and of the last one, as long as they were waited for."""
    latest_waited_ms: Sequence[float]

    @property
    def share(self) -> float:
        """Failed share of the last five minutes' polls."""
        return self.polls.count(0.0) / len(self.polls) if self.polls else 0.0

    @property
    def failures(self) -> int:
        """Failures in the last minute."""
        return self.latest.count(0.0)

    @property
    def is_flaky(self) -> bool:
        """Whether it failed, recovered and failed again within a minute: an outage is one bout, errors are many."""
        return _bouts(self.latest) > 1

    @property
    def is_up(self) -> bool:
        """Whether it is known to answer at least some requests."""
        return self.state is not State.UNKNOWN and (self.state is not State.UNHEALTHY or self.is_flaky)


def _bouts(polls: Sequence[float]) -> int:
    return sum(now == 0.0 != before for before, now in pairwise([1.0, *polls]))


def judge_routes(situation: Situation) -> Assessment:
    """The `routes` component."""
    tracks = situation.under(PREFIX)
    if not tracks:
        return absent(KEY, KEY, "No routes are configured: routes = […] names the paths to probe.")
    routes = [_measure(situation, track) for track in tracks]
    draft = Draft(key=KEY, name=KEY, origin=Origin.PROBE, tracks=tracks)
    errs = _errs(situation, routes)
    told_apart = [route for route in routes if not (errs and route.is_flaky)]
    _judge_states(draft, situation, routes, told_apart)
    if errs:
        share = percent(situation.environment.thresholds.alert_error_share)
        draft.find(
            _errors([route for route in routes if route.is_up], situation.now),
            f"More than {share} of the probes fail, others succeed.",
        )
    _judge_slow(draft, situation, routes)
    draft.figure = _figure(situation, routes, is_well=worst(draft.states) is State.HEALTHY)
    ok = sum(route.state is State.HEALTHY and not (errs and route.failures) for route in routes)
    draft.name = f"{KEY} {ok}/{len(routes)}"
    return draft.assessed()


def _measure(situation: Situation, track: Track) -> Route:
    return Route(
        path=track.target.removeprefix(PREFIX),
        track=track,
        state=situation.state(track),
        polls=situation.numbers(track.target, "ok"),
        latest=situation.numbers(track.target, "ok", LATEST_S),
        latencies_ms=situation.numbers(track.target, "latency_ms"),
        latest_ms=situation.numbers(track.target, "latency_ms", LATEST_S),
        waited_ms=situation.numbers(track.target, UNANSWERED),
        latest_waited_ms=situation.numbers(track.target, UNANSWERED, LATEST_S),
    )


def _figure(situation: Situation, routes: Sequence[Route], *, is_well: bool) -> str:
    """The p95, of the last minute when only the minutes before it were slow."""
    if all(situation.excused(route.track) for route in routes):
        return unseen(situation, routes[0].track)
    if shut := sum(situation.maintained(route.track) for route in routes):
        return "in maintenance" if shut == len(routes) else f"{shut} in maintenance"
    limit_ms = situation.environment.thresholds.p95_ms
    p95, now = _p95_of_all(routes), _p95_of_all(routes, latest=True)
    p95 = now if p95 and now and is_well and p95.value > limit_ms else p95
    if p95 is not None:
        return f"p95 {milliseconds(p95.value, at_least=p95.at_least)}"
    failing = next((route.track for route in routes if route.track.fails), None)
    return unseen(situation, failing) if failing else "no answer yet"


def _p95_of_all(routes: Sequence[Route], *, latest: bool = False) -> Estimate | None:
    answered = [value for route in routes for value in (route.latest_ms if latest else route.latencies_ms)]
    unanswered = [value for route in routes for value in (route.latest_waited_ms if latest else route.waited_ms)]
    return waited(answered, unanswered, 0.95)


# --- routes that fail -------------------------------------------------------------------------------------------------


def _judge_states(draft: Draft, situation: Situation, routes: Sequence[Route], told: Sequence[Route]) -> None:
    """One finding for all routes in the same state, not one for each."""
    for route in told:
        nothing_known(draft, situation, route.track)
        if route.state is State.HEALTHY:
            well(draft, route.track, f"{route.path} is good")
    shut = [route for route in told if route.state is State.DEGRADED and situation.maintained(route.track)]
    _find_maintenance(draft, situation, shut, whole=len(shut) == len(routes))
    for what, state in (("down", State.UNHEALTHY), ("degraded", State.DEGRADED)):
        found = [route for route in told if route.state is state and route not in shut]
        if found:
            _find_group(draft, what, state, found, whole=len(found) == len(routes))
    _find_waiting(draft, situation, [route for route in told if route.state is State.HEALTHY])


def _find_maintenance(draft: Draft, situation: Situation, routes: Sequence[Route], *, whole: bool) -> None:
    """What shows the maintenance page is shut on purpose: it is told, and nobody is called."""
    if not routes:
        return
    first = min((route.track for route in routes), key=lambda track: track.fault_since or track.tried or _EVER)
    paths = f"all {len(routes)} routes" if whole and len(routes) > 1 else listed([route.path for route in routes])
    words = situation.maintenance.words if situation.maintenance else "in maintenance"
    held = "their alerts, and those of errors, are held while the maintenance page answers"
    text, sentence = f"{paths}: {words}", f"{paths}: {words}; {held}."
    draft.note("maintenance", first, text, sentence, state=State.DEGRADED, next_step=_end_of(situation))


def _end_of(situation: Situation) -> str:
    """What ends it: who began it knows best when; nobody else is to be called for what was begun on purpose."""
    found = situation.maintenance
    if found is None or not found.by:
        return "see who switched it on; radar maintenance off ends it"
    planned = f", planned until {time_of_day(found.until_ms, situation.now.wall_ms)}" if found.until_ms else ""
    since = time_of_day(found.since_ms, situation.now.wall_ms)
    return f"end the maintenance (radar maintenance off): by {found.by} since {since}{planned}"


def _find_group(draft: Draft, what: str, state: State, routes: Sequence[Route], *, whole: bool) -> None:
    first = min((route.track for route in routes), key=lambda track: track.fault_since or track.tried or _EVER)
    words = sorted({words_of(route.track) for route in routes})
    paths = f"all {len(routes)} routes" if whole and len(routes) > 1 else listed([route.path for route in routes])
    text = f"{paths}: {listed(words, few=2)}"
    draft.note(what, first, text, f"{text}.", state=state, among=[route.track for route in routes])


_EVER = Moment(0, 0)


def _find_waiting(draft: Draft, situation: Situation, routes: Sequence[Route]) -> None:
    waiting = [route for route in routes if route.track.target in situation.waiting_s]
    if not waiting:
        return
    track = waiting[0].track
    text = f"{listed([route.path for route in waiting])}: no answer for {track.interval_s:g} s"
    sentence = f"{counted(len(waiting), 'route')} gave no answer yet; the time-out is not over."
    draft.note("waiting", track, text, sentence, state=State.DEGRADED)


# --- errors of some requests ------------------------------------------------------------------------------------------


def _errs(situation: Situation, routes: Sequence[Route]) -> bool:
    """Whether some requests fail while others succeed: two failures in a row would miss it, or come and go."""
    known = [route for route in routes if route.is_up]
    limit = situation.environment.thresholds.alert_error_share
    polls, failures = sum(len(route.latest) for route in known), sum(route.failures for route in known)
    if not any(_bouts(route.polls) > 1 for route in known) or failures == 0 or _over(known):
        return False
    crowd = polls >= LATEST_SAMPLES and failures >= MINIMUM_FAILURES and failures / polls > limit
    return (crowd and any(route.is_flaky for route in known)) or any(_errs_alone(route, limit) for route in known)


def _errs_alone(route: Route, limit: float) -> bool:
    if route.is_flaky and route.failures >= MINIMUM_FAILURES:
        return True
    bouts, polls = _bouts(route.polls), len(route.polls)
    return polls >= MINIMUM_SAMPLES and bouts >= MINIMUM_FAILURES and bouts / polls > limit and route.failures > 0


def _over(routes: Sequence[Route]) -> bool:
    """Whether the errors have ceased: so many good polls in a row that at their rate before it would be no chance."""
    return sum(_calm(route.polls) for route in routes if route.failures) > OVER_AT


def _calm(polls: Sequence[float]) -> float:
    """−ln of the chance that the good polls at the end are luck, at the rate of failures before them."""
    quiet = _good_at_end(polls)
    before = polls[: len(polls) - quiet][-LATEST_SAMPLES:]
    share = min(before.count(0.0) / len(before), 0.99) if before else 0.0
    return quiet * -math.log(1 - share)


def _good_at_end(polls: Sequence[float]) -> int:
    return next((count for count, ok in enumerate(reversed(polls)) if ok == 0.0), len(polls))


def _errors(routes: Sequence[Route], now: Moment) -> Finding:
    chief = max(routes, key=lambda route: (_share_now(route), route.share))
    others = sum(route.failures > 0 for route in routes if route is not chief)
    share = _share_now(chief) or chief.share
    polls = chief.latest if _share_now(chief) else chief.polls
    what = "5xx" if _server_errors(chief.track) else "fail"
    return Finding(
        key=f"{KEY}.errors",
        component=KEY,
        state=State.UNHEALTHY if share > UNHEALTHY_SHARE else State.DEGRADED,
        text=f"{chief.path} {percent(share)} {what}" + (f", {counted(others, 'other')} too" if others else ""),
        origin=Origin.PROBE,
        since=chief.track.fault_since or now,
        fault=fault_kind(chief.track.last_failure) if chief.track.last_failure else "",
        turned_away=all(is_turned_away(route.track.last_failure) for route in routes if route.failures),
        evidence=f"{polls.count(0.0)} of {len(polls)}",
    )


def _share_now(route: Route) -> float:
    """Failed share of the last minute; 0 for what is only a single failure."""
    return route.failures / len(route.latest) if route.failures > 1 else 0.0


def _server_errors(track: Track) -> bool:
    status = track.last_failure.facts.get("http_status") if track.last_failure else None
    return isinstance(status, int) and status >= 500


# --- slowness ---------------------------------------------------------------------------------------------------------


def _judge_slow(draft: Draft, situation: Situation, routes: Sequence[Route]) -> None:
    limit_ms = situation.environment.thresholds.p95_ms
    known = [route for route in routes if route.state is not State.UNKNOWN]
    slow = [route for route in known if _is_slow(route, limit_ms) or _turned_slow(route, limit_ms)]
    if not slow:
        return
    chief = max(slow, key=lambda route: statistics.fmean(route.latencies_ms[-LATEST_SAMPLES:]))
    others = f", {counted(len(slow) - 1, 'other')} too" if len(slow) > 1 else ""
    finding = Finding(
        key=f"{KEY}.slow",
        component=KEY,
        state=State.DEGRADED,
        text=f"{chief.path} {_latency_words(chief)}{others} (limit {milliseconds(limit_ms)})",
        origin=Origin.PROBE,
    )
    names = listed([route.path for route in slow])
    draft.find(finding, f"Slower than {milliseconds(limit_ms)}: {names}.")


def _latency_words(route: Route) -> str:
    """A p95, or the better of the last two where a p95 would be chance."""
    if len(route.latencies_ms) < MINIMUM_SAMPLES:
        return f"takes {milliseconds(min(route.latencies_ms[-2:]))}"
    return f"p95 {milliseconds(_p95(route.latest_ms))}"


def _is_slow(route: Route, limit_ms: float) -> bool:
    """Whether the p95 of five minutes is over the limit and that of the last minute still is."""
    if len(route.latencies_ms) < MINIMUM_SAMPLES:
        return False
    return _p95(route.latencies_ms) > limit_ms and _p95(route.latest_ms) > limit_ms


def _p95(values: Sequence[float]) -> float:
    return nearest_rank(values, 0.95) or 0.0


def _turned_slow(route: Route, limit_ms: float) -> bool:
    """Whether the last two probes are over the limit and far above what this route usually takes, or may take."""
    before, newest = route.latencies_ms[:-2], route.latencies_ms[-2:]
    if len(newest) < 2:
        return False
    usual_ms = min(statistics.median(before), limit_ms) if len(before) >= 3 else limit_ms
    return min(newest) > max(limit_ms, SLOW_FACTOR * usual_ms)


@dataclass(frozen=True, slots=True)
class ProbeFigures:
    """What the probes of all routes saw over the last five minutes."""

    p95: Estimate | None
    """In ms; None below the minimum sample count."""
    failures: int
    polls: int


def probe_figures(situation: Situation) -> ProbeFigures:
    """The figures of all routes together, over the last five minutes."""
    answered: list[float] = []
    unanswered: list[float] = []
    oks: list[float] = []
    for track in situation.under(PREFIX):
        oks += situation.numbers(track.target, "ok", RECENT_S)
        answered += situation.numbers(track.target, "latency_ms", RECENT_S)
        unanswered += situation.numbers(track.target, UNANSWERED, RECENT_S)
    enough = len(answered) + len(unanswered) >= MINIMUM_SAMPLES
    return ProbeFigures(waited(answered, unanswered, 0.95) if enough else None, oks.count(0.0), len(oks))
