"""What the users meet, from the application's own metrics. Without them nothing is known, and that is said."""

from __future__ import annotations

import math
from dataclasses import dataclass

from console.model.finding import Assessment, Draft, Finding, nothing_known, short_fault, well
from console.model.observation import Buckets, Origin
from console.model.situation import RECENT_S, Situation
from console.model.states import State
from console.model.windows import bucket_quantile
from console.model.words import counted, milliseconds, percent

KEY = "users"
TARGET = "metrics"
MINIMUM_REQUESTS = 20
LATEST_S = 60.0
"""What the last minute no longer shows is over, though five minutes still hold it."""


@dataclass(frozen=True, slots=True)
class Users:
    """The users' figures over the last minutes. None: not known."""

    requests: float | None
    """None: not even one growth is known, since that needs two scrapes."""
    errors: float
    p95_ms: float | None
    mean_ms: float | None
    memory_share: float | None

    @property
    def error_share(self) -> float | None:
        """Share of requests that failed; None below the minimum sample count."""
        return self.errors / self.requests if self.requests and self.requests >= MINIMUM_REQUESTS else None


def users(situation: Situation, window_s: float = RECENT_S) -> Users:
    """The users' figures over the last `window_s` seconds."""
    buckets = situation.windows.histograms(f"{TARGET}|latency_ms", window_s, situation.now)
    requests = situation.numbers(TARGET, "requests", window_s)
    measured = sum(sum(one.counts) for one in buckets)
    enough = measured >= MINIMUM_REQUESTS
    return Users(
        requests=math.fsum(requests) if requests else None,
        errors=math.fsum(situation.numbers(TARGET, "errors", window_s)),
        p95_ms=bucket_quantile(buckets, 0.95) if enough else None,
        mean_ms=_mean(situation, window_s, enough=enough),
        memory_share=memory_share(situation),
    )


def _mean(situation: Situation, window_s: float, *, enough: bool) -> float | None:
    """The exporter's own mean where it offers one, else the middle of its buckets."""
    means = situation.numbers(TARGET, "mean_ms", window_s)
    requests = situation.numbers(TARGET, "requests", window_s)
    if means and len(means) == len(requests) and sum(requests) >= MINIMUM_REQUESTS:
        return sum(mean * weight for mean, weight in zip(means, requests, strict=True)) / sum(requests)
    buckets = situation.windows.histograms(f"{TARGET}|latency_ms", window_s, situation.now)
    return bucket_mean(buckets) if enough else None


def bucket_mean(buckets: list[Buckets]) -> float | None:
    """The mean as far as buckets tell: each observation in the middle of its bucket, the last at its lower bound."""
    total = weighted = 0.0
    for one in buckets:
        lower = 0.0
        for bound, count in zip(one.bounds, one.counts, strict=True):
            weighted += count * (lower if math.isinf(bound) else (lower + bound) / 2)
            total, lower = total + count, bound
    return weighted / total if total else None


def memory_share(situation: Situation) -> float | None:
    """The application's own memory against its limit. Never this host's."""
    used = situation.last(TARGET, "memory_bytes")
    limit = situation.environment.memory_limit_bytes or situation.last(TARGET, "memory_limit_bytes")
    return used / limit if used is not None and limit else None


def judge_users(situation: Situation) -> Assessment:
    """The `users` component."""
    track = situation.track(TARGET)
    if track is None:
        return _unknown()
    draft = Draft(key=KEY, name=KEY, origin=Origin.USERS, tracks=[track])
    figures = users(situation)
    draft.figure = _figure(figures) if not track.fails or figures.requests else short_fault(track)
    if nothing_known(draft, situation, track):
        return draft.assessed()
    if track.state is not State.HEALTHY:
        words = track.error or track.state.value
        draft.note("metrics", track, f"metrics are not read: {words}", f"Metrics are not read: {words}.", state=UNREAD)
        return draft.assessed()
    well(draft, track, "The application's metrics are read")
    _judge(draft, situation, figures)
    draft.structural = figures.error_share is None
    return draft.assessed()


UNREAD = State.UNKNOWN
"""Metrics that cannot be read say nothing of what users meet."""


def _unknown() -> Assessment:
    draft = Draft(key=KEY, name=KEY, origin=Origin.NONE, tracks=(), figure="no log, no metrics")
    draft.say("The application offers no request log and no metrics, so what users meet is unknown.", State.UNKNOWN)
    draft.say('metrics = "/api/metrics" in the configuration reads them once the application has them.')
    draft.structural = True
    return draft.assessed()


def _figure(figures: Users) -> str:
    if figures.requests is None:
        return "no rates yet"
    if figures.error_share is None:
        return f"{counted(round(figures.requests), 'request')}, few"
    p95 = f"p95 {milliseconds(figures.p95_ms)}" if figures.p95_ms is not None else "p95 ?"
    return f"{p95}, {percent(figures.error_share)}"


def _judge(draft: Draft, situation: Situation, figures: Users) -> None:
    if figures.error_share is None:
        draft.say(f"Fewer than {MINIMUM_REQUESTS} requests in five minutes: too few to judge.", State.UNKNOWN)
    else:
        _judge_errors(draft, situation, figures, figures.error_share)
        _judge_p95(draft, situation, figures)
    _judge_memory(draft, situation, figures)


def _is_over(now: float | None, limit: float) -> bool:
    """Whether the last minute is within the limit; too few requests in it tell nothing."""
    return now is not None and now <= limit


def _judge_errors(draft: Draft, situation: Situation, figures: Users, share: float) -> None:
    thresholds = situation.environment.thresholds
    if share <= thresholds.error_share or _is_over(users(situation, LATEST_S).error_share, thresholds.error_share):
        draft.say(f"At most {percent(thresholds.error_share)} of the requests fail.", State.HEALTHY)
        return
    state = State.UNHEALTHY if share > thresholds.alert_error_share else State.DEGRADED
    limit = thresholds.alert_error_share if state is State.UNHEALTHY else thresholds.error_share
    evidence = f"{figures.errors:,.0f} of {figures.requests or 0:,.0f}"
    text = f"{percent(share)} of the requests fail (target {percent(thresholds.error_share)})"
    draft.find(_finding("errors", state, text, evidence), f"More than {percent(limit)} of the requests fail.")


def _judge_p95(draft: Draft, situation: Situation, figures: Users) -> None:
    limit_ms = situation.environment.thresholds.p95_ms
    if figures.p95_ms is None:
        draft.say("The metrics hold no response times, or too few.")
    elif figures.p95_ms <= limit_ms or _is_over(users(situation, LATEST_S).p95_ms, limit_ms):
        draft.say(f"The p95 of the response is within {milliseconds(limit_ms)}.", State.HEALTHY)
    else:
        text = f"p95 {milliseconds(figures.p95_ms)} (target {milliseconds(limit_ms)})"
        finding = _finding("slow", State.DEGRADED, text, f"{figures.requests or 0:,.0f} requests")
        draft.find(finding, f"The p95 of the response is over {milliseconds(limit_ms)}.")


def _judge_memory(draft: Draft, situation: Situation, figures: Users) -> None:
    limit = situation.environment.thresholds.memory_share
    if figures.memory_share is None:
        draft.say("Memory is unknown: the metrics offer no limit, and none is configured.")
    elif figures.memory_share <= limit:
        draft.say(f"The application's memory is within {percent(limit)} of its limit.", State.HEALTHY)
    else:
        text = f"the application's memory is at {percent(figures.memory_share)} of its limit"
        sentence = f"The application's memory is over {percent(limit)} of its limit."
        draft.find(_finding("memory", State.DEGRADED, text, ""), sentence)


def _finding(what: str, state: State, text: str, evidence: str) -> Finding:
    return Finding(key=f"{KEY}.{what}", component=KEY, state=state, text=text, origin=Origin.USERS, evidence=evidence)
