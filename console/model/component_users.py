"""What the users meet, from the application's own metrics or a Prometheus that has those of all its instances.

Without either nothing is known, and that is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from console.model.configuration import Environment
from console.model.finding import FIGURE_WIDTH, Assessment, Draft, Finding, nothing_known, unseen, well
from console.model.observation import Buckets, Origin
from console.model.situation import RECENT_S, Situation
from console.model.states import State
from console.model.track import Track
from console.model.windows import Estimate, bucket_quantile
from console.model.words import counted, milliseconds, percent

KEY = "users"
NO_RATES = "no rates yet"
TARGET = "metrics"
MINIMUM_REQUESTS = 20
LATEST_S = 60.0
"""What the last minute no longer shows is over, though five minutes still hold it."""
_NOW = " in the last minute; the five minutes still hold what was before"


@dataclass(frozen=True, slots=True)
class Users:
    """The users' figures over the last minutes. None: not known."""

    requests: float | None
    """None: not even one growth is known, since that needs two scrapes."""
    errors: float
    p95: Estimate | None
    """In ms."""
    mean_ms: float | None
    memory_share: float | None

    @property
    def p95_ms(self) -> float | None:
        """The p95 in ms, or what it is at least."""
        return self.p95.value if self.p95 else None

    @property
    def error_share(self) -> float | None:
        """Share of requests that failed; None below the minimum sample count."""
        return self.errors / self.requests if self.requests and self.requests >= MINIMUM_REQUESTS else None


NOTHING = Users(requests=None, errors=0.0, p95=None, mean_ms=None, memory_share=None)


def told_by(environment: Environment) -> Origin:
    """Who tells what users meet: a configured Prometheus goes before the application's own metrics."""
    return Origin.PROMETHEUS if environment.prometheus and environment.prometheus.users else Origin.USERS


def is_told(environment: Environment) -> bool:
    """Whether anybody tells it."""
    return environment.metrics is not None or told_by(environment) is Origin.PROMETHEUS


def users(situation: Situation, window_s: float = RECENT_S) -> Users:
    """The users' figures over the last `window_s` seconds.

    None of them once Prometheus answers no more, or in part: its rates reach back over minutes as it is.
    """
    track = situation.track(TARGET)
    if told_by(situation.environment) is Origin.PROMETHEUS and (track is None or track.state is not State.HEALTHY):
        return NOTHING
    buckets = situation.windows.histograms(f"{TARGET}|latency_ms", window_s, situation.now)
    requests = situation.numbers(TARGET, "requests", window_s)
    measured = sum(sum(one.counts) for one in buckets)
    enough = measured >= MINIMUM_REQUESTS
    return Users(
        requests=math.fsum(requests) if requests else None,
        errors=math.fsum(situation.numbers(TARGET, "errors", window_s)),
        p95=bucket_quantile(buckets, 0.95) if enough else None,
        mean_ms=_mean(situation, window_s, enough=enough),
        memory_share=memory_share(situation),
    )


def latest(situation: Situation, figures: Users) -> tuple[Users | None, Users | None]:
    """The last minute's figures in place of p95 and of errors, where only the minutes before it were over the limit."""
    limits, now = situation.environment.thresholds, users(situation, LATEST_S)
    p95 = now if _is_past(figures.p95_ms, now.p95_ms, limits.p95_ms) else None
    return p95, now if _is_past(figures.error_share, now.error_share, limits.error_share) else None


def _is_past(value: float | None, now: float | None, limit: float) -> bool:
    """Whether what is over the limit in five minutes no longer is in the last; too few requests in it tell nothing."""
    return value is not None and value > limit and now is not None and now <= limit


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
    origin, whose = Origin.USERS, "The application's metrics"
    if told_by(situation.environment) is Origin.PROMETHEUS:
        origin, whose = Origin.PROMETHEUS, "Prometheus' figures of users"
    draft = Draft(key=KEY, name=KEY, origin=origin, tracks=[track])
    figures = users(situation)
    draft.figure = _shown(situation, track, figures)
    if nothing_known(draft, situation, track):
        return draft.assessed()
    if track.state is not State.HEALTHY:
        words = track.error or track.state.value
        draft.note("metrics", track, f"metrics are not read: {words}", f"Metrics are not read: {words}.", state=UNREAD)
        return draft.assessed()
    well(draft, track, f"{whose} are read")
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


def _shown(situation: Situation, track: Track, figures: Users) -> str:
    """The figure, of the same minutes as the state."""
    if situation.excused(track) or (track.fails and not figures.requests):
        return unseen(situation, track)
    if figures is NOTHING:
        return "not told"
    p95, errors = latest(situation, figures)
    return _figure(figures, (p95 or figures).p95, (errors or figures).error_share)


def _figure(figures: Users, p95: Estimate | None, share: float | None) -> str:
    if not figures.requests:
        return NO_RATES if figures.requests is None else "no requests yet"
    if share is None:
        return f"{counted(round(figures.requests), 'request')}, few"
    response = milliseconds(p95.value, at_least=p95.at_least) if p95 else "?"
    text = f"p95 {response}, {percent(share)}"
    return text if len(text) <= FIGURE_WIDTH else text.removeprefix("p95 ")


def _judge(draft: Draft, situation: Situation, figures: Users) -> None:
    if figures.error_share is None:
        draft.say(f"Fewer than {MINIMUM_REQUESTS} requests in five minutes: too few to judge.", State.UNKNOWN)
    else:
        _judge_errors(draft, situation, figures, figures.error_share)
        _judge_p95(draft, situation, figures)
    _judge_memory(draft, situation, figures)


def _judge_errors(draft: Draft, situation: Situation, figures: Users, share: float) -> None:
    thresholds = situation.environment.thresholds
    past = share > thresholds.error_share and latest(situation, figures)[1] is not None
    if share <= thresholds.error_share or past:
        draft.say(f"At most {percent(thresholds.error_share)} of the requests fail{_NOW * past}.", State.HEALTHY)
        return
    state = State.UNHEALTHY if share > thresholds.alert_error_share else State.DEGRADED
    limit = thresholds.alert_error_share if state is State.UNHEALTHY else thresholds.error_share
    evidence = f"{figures.errors:,.0f} of {figures.requests or 0:,.0f}"
    text = f"{percent(share)} of the requests fail (target {percent(thresholds.error_share)})"
    draft.find(_finding(draft, "errors", state, text, evidence), f"More than {percent(limit)} of the requests fail.")


def _judge_p95(draft: Draft, situation: Situation, figures: Users) -> None:
    limit_ms = situation.environment.thresholds.p95_ms
    p95 = figures.p95
    if p95 is None:
        draft.say("The metrics hold no response times, or too few.")
    elif p95.value <= limit_ms:
        draft.say(f"The p95 of the response is within {milliseconds(limit_ms)}.", State.HEALTHY)
    elif latest(situation, figures)[0]:
        draft.say(f"The p95 of the response is within {milliseconds(limit_ms)}{_NOW}.", State.HEALTHY)
    else:
        text = f"p95 {milliseconds(p95.value, at_least=p95.at_least)} (target {milliseconds(limit_ms)})"
        finding = _finding(draft, "slow", State.DEGRADED, text, f"{figures.requests or 0:,.0f} requests")
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
        draft.find(_finding(draft, "memory", State.DEGRADED, text, ""), sentence)


def _finding(draft: Draft, what: str, state: State, text: str, evidence: str) -> Finding:
    return Finding(key=f"{KEY}.{what}", component=KEY, state=state, text=text, origin=draft.origin, evidence=evidence)
