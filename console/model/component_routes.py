"""The routes of the application, probed from here: a probe's figures, never the users'."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from console.model.finding import (
    Assessment,
    Draft,
    Finding,
    absent,
    nothing_known,
    overdue,
    short_fault,
    well,
    words_of,
)
from console.model.moment import Moment
from console.model.observation import Origin
from console.model.situation import RECENT_S, Situation
from console.model.states import State
from console.model.track import Track
from console.model.windows import nearest_rank
from console.model.words import counted, listed, milliseconds, percent

KEY = "routes"
PREFIX = "route:"
MINIMUM_SAMPLES = 20
"""A share or a p95 of fewer samples is chance."""
MINIMUM_FAILURES = 3
BURST_S = 60.0
"""Window over all routes together, so that a fault shows before one route alone has twenty samples."""
BURST_SAMPLES = 12
UNHEALTHY_SHARE = 0.20
SLOW_FACTOR = 3.0
"""Two probes in a row this much slower than the route's own median are a fault at once."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route's figures over the last five minutes and over the last one."""

    path: str
    track: Track
    state: State
    polls: int
    failures: int
    latest_polls: int
    latest_failures: int
    latest_bouts: int
    """How often it began to fail in the last minute: an outage is one bout, errors of some requests are many."""
    latencies_ms: Sequence[float]
    latest_ms: Sequence[float]

    @property
    def share(self) -> float:
        """Failed share of the last five minutes' polls."""
        return self.failures / self.polls if self.polls else 0.0

    @property
    def still_errs(self) -> bool:
        """Whether failures go on; those of an outage that is over do not count as errors for another minute."""
        return self.track.trouble > 0 or self.latest_bouts > 1


def judge_routes(situation: Situation) -> Assessment:
    """The `routes` component."""
    tracks = situation.under(PREFIX)
    if not tracks:
        return absent(KEY, KEY, "No routes are configured: routes = […] names the paths to probe.")
    routes = [_measure(situation, track) for track in tracks]
    draft = Draft(key=KEY, name=KEY, origin=Origin.PROBE, tracks=tracks, figure=_figure(routes))
    _judge_down(draft, situation, routes)
    _judge_errors(draft, situation, routes)
    _judge_slow(draft, situation, routes)
    errors = any(finding.key == f"{KEY}.errors" for finding in draft.findings)
    ok = sum(route.state is State.HEALTHY and not (errors and route.latest_failures) for route in routes)
    draft.name = f"{KEY} {ok}/{len(routes)}"
    return draft.assessed()


def _measure(situation: Situation, track: Track) -> Route:
    ok = situation.numbers(track.target, "ok")
    latest_ok = situation.numbers(track.target, "ok", BURST_S)
    return Route(
        path=track.target.removeprefix(PREFIX),
        track=track,
        state=situation.state(track),
        polls=len(ok),
        failures=ok.count(0.0),
        latest_polls=len(latest_ok),
        latest_failures=latest_ok.count(0.0),
        latest_bouts=sum(now == 0.0 != before for before, now in pairwise([1.0, *latest_ok])),
        latencies_ms=situation.numbers(track.target, "latency_ms"),
        latest_ms=situation.numbers(track.target, "latency_ms", 2 * BURST_S),
    )


def _figure(routes: Sequence[Route]) -> str:
    p95 = nearest_rank([value for route in routes for value in route.latencies_ms], 0.95)
    if p95 is not None:
        return f"p95 {milliseconds(p95)}"
    failing = next((route.track for route in routes if route.track.fails), None)
    return short_fault(failing) if failing else "no answer yet"


def _judge_down(draft: Draft, situation: Situation, routes: Sequence[Route]) -> None:
    down = [route for route in routes if route.state is State.UNHEALTHY]
    if len(down) == len(routes) > 1:
        _find_all_down(draft, down)
        return
    for route in routes:
        if not nothing_known(draft, situation, route.track):
            _judge_one(draft, situation, route)


def _find_all_down(draft: Draft, down: Sequence[Route]) -> None:
    words = sorted({words_of(route.track) for route in down})
    text = f"all {len(down)} routes fail: {words[0]}"
    draft.note("down", down[0].track, text, f"All {len(down)} routes fail: {listed(words)}.", state=State.UNHEALTHY)


def _judge_one(draft: Draft, situation: Situation, route: Route) -> None:
    if route.state is State.HEALTHY:
        overdue(draft, situation, route.track)
        well(draft, route.track, f"{route.path} is good")
        return
    words = words_of(route.track)
    what = "down" if route.state is State.UNHEALTHY else "degraded"
    draft.note(
        f"{what}:{route.path}", route.track, f"{route.path}: {words}", f"{route.path}: {words}.", state=route.state
    )


def _judge_errors(draft: Draft, situation: Situation, routes: Sequence[Route]) -> None:
    """Errors of some requests only: two failures in a row would miss them."""
    down = {finding.key for finding in draft.findings}
    known = [route for route in routes if route.state is not State.UNKNOWN]
    flaky = [route for route in known if f"{KEY}.down:{route.path}" not in down]
    if f"{KEY}.down" in down or not flaky:
        return
    limit = situation.environment.thresholds.alert_error_share
    worst = max(flaky, key=lambda route: route.share)
    if _errs(worst, limit) or _burst(flaky, limit):
        draft.find(_errors(draft, worst, flaky, situation.now), f"More than {percent(limit)} of the probes fail.")


def _errs(route: Route, limit: float) -> bool:
    """Whether too many polls of the last five minutes failed, and the last minute still has failures."""
    enough = route.polls >= MINIMUM_SAMPLES and route.failures >= MINIMUM_FAILURES
    return enough and route.share > limit and route.latest_failures > 0 and route.still_errs


def _burst(routes: Sequence[Route], limit: float) -> bool:
    polls = sum(route.latest_polls for route in routes)
    failures = sum(route.latest_failures for route in routes)
    enough = polls >= BURST_SAMPLES and failures >= MINIMUM_FAILURES and failures / polls > limit
    return enough and any(route.still_errs for route in routes)


def _errors(draft: Draft, worst: Route, routes: Sequence[Route], now: Moment) -> Finding:
    share = max(worst.share, _latest_share(worst))
    others = sum(route.latest_failures > 0 for route in routes if route is not worst)
    fail = "5xx" if _server_errors(worst.track) else "fail"
    return Finding(
        key=f"{KEY}.errors",
        component=KEY,
        state=State.UNHEALTHY if share > UNHEALTHY_SHARE else State.DEGRADED,
        text=f"{worst.path} {percent(share)} {fail}" + (f", {counted(others, 'other')} too" if others else ""),
        origin=Origin.PROBE,
        since=worst.track.trouble_since or now,
        evidence=f"{worst.failures} of {worst.polls}",
        incident="application",
    )


def _latest_share(route: Route) -> float:
    return route.latest_failures / route.latest_polls if route.latest_polls >= BURST_SAMPLES else 0.0


def _server_errors(track: Track) -> bool:
    status = track.fact("http_status")
    return isinstance(status, int) and status >= 500


def _judge_slow(draft: Draft, situation: Situation, routes: Sequence[Route]) -> None:
    limit_ms = situation.environment.thresholds.p95_ms
    slow = [route for route in routes if _is_slow(route, limit_ms) or _turned_slow(route, limit_ms)]
    if not slow:
        return
    worst = max(slow, key=lambda route: statistics.fmean(route.latencies_ms[-BURST_SAMPLES:]))
    p95 = nearest_rank(worst.latest_ms, 0.95) or 0.0
    others = f", {counted(len(slow) - 1, 'other')} too" if len(slow) > 1 else ""
    finding = Finding(
        key=f"{KEY}.slow",
        component=KEY,
        state=State.DEGRADED,
        text=f"{worst.path} p95 {milliseconds(p95)}{others} (limit {milliseconds(limit_ms)})",
        origin=Origin.PROBE,
        incident="application",
    )
    names = listed([route.path for route in slow])
    draft.find(finding, f"Slower than {milliseconds(limit_ms)} at p95: {names}.")


def _is_slow(route: Route, limit_ms: float) -> bool:
    """Whether the p95 of five minutes is over the limit and that of the last two minutes still is."""
    if len(route.latencies_ms) < MINIMUM_SAMPLES or len(route.latest_ms) < BURST_SAMPLES:
        return False
    return _p95(route.latencies_ms) > limit_ms and _p95(route.latest_ms) > limit_ms


def _p95(values: Sequence[float]) -> float:
    return nearest_rank(values, 0.95) or 0.0


def _turned_slow(route: Route, limit_ms: float) -> bool:
    """Whether the last two probes are over the limit and far above what this route usually takes."""
    before, newest = route.latencies_ms[:-2], route.latencies_ms[-2:]
    if len(newest) < 2 or len(before) < 3:
        return False
    return min(newest) > limit_ms and min(newest) > SLOW_FACTOR * statistics.median(before)


def probe_figures(situation: Situation) -> tuple[list[float], int, int]:
    """Latencies in ms, failed polls and polls of all routes over the last five minutes."""
    latencies: list[float] = []
    failures = polls = 0
    for track in situation.under(PREFIX):
        ok = situation.numbers(track.target, "ok", RECENT_S)
        latencies += situation.numbers(track.target, "latency_ms", RECENT_S)
        failures, polls = failures + ok.count(0.0), polls + len(ok)
    return latencies, failures, polls
