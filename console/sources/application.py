"""The application as seen from outside: its health answer, its ping, and the latency and availability of each route."""

from __future__ import annotations

from console.model import payload
from console.model.configuration import Environment
from console.model.health import CheckStatus, Health, flaps, intercepted, is_cached, parse_health, status_of
from console.model.maintenance import DEFAULT_MARKER, PAGE_FACT, sign_of
from console.model.observation import ErrorKind, Json, Observation, Outcome, Sample, Source
from console.model.states import State
from console.model.text import clean
from console.sources.base import HttpSource, ok_sample, raw_answer
from console.sources.faults import Fault
from console.sources.http import REDIRECT_LIMIT, Answer, Client, Clients, Request

ACCEPT_HEALTH = "application/health+json, application/json;q=0.9, text/plain;q=0.5"
_LOGIN_PATHS = ("vercel.com/sso", "vercel.com/login")


class HealthSource(HttpSource):
    """The health endpoint, judged from its checks. A hung database hangs it for minutes: one probe at a time."""

    def __init__(self, url: str, client: Client, *, interval_s: float) -> None:
        super().__init__("health", client, interval_s=interval_s)
        self._request = Request(url=url, headers={"accept": ACCEPT_HEALTH}, redirects=REDIRECT_LIMIT)

    async def ask(self) -> Observation:
        """The health answer as an observation."""
        answer = await self.get(self._request)
        _refuse_elsewhere(answer)
        health = parse_health(answer.status, answer.headers, answer.body)
        samples = ok_sample(health.state) | _flapping(health)
        if health.outcome is Outcome.ANSWERED:
            samples["latency_ms"] = answer.latency_ms
        return _observation(self, health, answer, samples)


class PingSource(HttpSource):
    """The ping endpoint, which touches no database: it tells a dead application from a dead database."""

    def __init__(self, url: str, client: Client, *, interval_s: float) -> None:
        super().__init__("ping", client, interval_s=interval_s)
        self._request = Request(url=url, headers={"accept": "application/json"}, redirects=REDIRECT_LIMIT)

    async def ask(self) -> Observation:
        """Whether it answers."""
        answer = await self.get(self._request)
        _refuse_elsewhere(answer)
        blocked = intercepted(answer.status, answer.headers, answer.body)
        if blocked is not None:
            return _observation(self, blocked, answer, {})
        state, words = _judge_ping(answer)
        facts: dict[str, Json] = {"http_status": answer.status, **_maintenance(answer, "")}
        samples = ok_sample(state) | {"latency_ms": answer.latency_ms}
        return self.answered(state, words, facts=facts, samples=samples, volatile={"raw": raw_answer(answer)})


class RouteSource(HttpSource):
    """One page or API route: what a visitor gets, and how long it takes."""

    def __init__(self, path: str, url: str, client: Client, *, interval_s: float, marker: str = DEFAULT_MARKER) -> None:
        """`marker`: a word of the maintenance page."""
        super().__init__(f"route:{clean(path, 120)}", client, interval_s=interval_s)
        self._request = Request(url=url, redirects=REDIRECT_LIMIT, cut=True)
        self._marker = marker

    async def ask(self) -> Observation:
        """Status, redirect and latency. A cached page is a page: visitors get it."""
        answer = await self.get(self._request)
        if _is_protected(answer):
            return _observation(self, _login(answer), answer, {})
        state, words = _judge_route(answer)
        facts: dict[str, Json] = {
            "http_status": answer.status,
            "redirect": answer.location or (answer.hops[-1] if answer.hops else None),
            "content_type": clean(answer.headers.get("content-type", ""), 80) or None,
            "cached": is_cached(answer.headers),
            **_maintenance(answer, self._marker),
        }
        samples = ok_sample(state) | {"latency_ms": answer.latency_ms}
        return self.answered(state, words, facts=facts, samples=samples)


def build(environment: Environment, clients: Clients, marker: str = DEFAULT_MARKER) -> list[Source]:
    """Health, ping and every route of the environment. `marker`: a word of its maintenance page."""
    client, interval_s = clients.of(environment.url), environment.intervals.application_s
    routes = [
        RouteSource(path, address(environment, path), client, interval_s=interval_s, marker=marker)
        for path in dict.fromkeys(environment.routes)
    ]
    return [
        HealthSource(address(environment, environment.health), client, interval_s=interval_s),
        PingSource(address(environment, environment.ping), client, interval_s=interval_s),
        *routes,
    ]


def address(environment: Environment, path: str) -> str:
    """`path` below the environment's url, whose own path counts."""
    return f"{environment.url.rstrip('/')}/{path.lstrip('/')}"


def _maintenance(answer: Answer, marker: str) -> dict[str, Json]:
    """Where the answer is the maintenance page by its own word, or a 503 that holds the marker."""
    sign = sign_of(answer.status, answer.headers, answer.body, marker)
    return {PAGE_FACT: sign} if sign in ("header", "page") else {}


def _refuse_elsewhere(answer: Answer) -> None:
    """A health or ping answer must be the application's own, not where it sends visitors."""
    if answer.location is None:
        return
    if _is_login(answer):
        raise Fault(
            ErrorKind.CHALLENGED,
            f"{answer.status}: redirects to a login page at {answer.location}",
            outcome=Outcome.BLOCKED,
            http_status=answer.status,
        )
    raise Fault(
        ErrorKind.REDIRECT,
        f"{answer.status}: redirects to another site, {answer.location}",
        state=State.UNKNOWN,
        http_status=answer.status,
    )


def _is_login(answer: Answer) -> bool:
    return answer.location is not None and any(path in answer.location for path in _LOGIN_PATHS)


def _is_protected(answer: Answer) -> bool:
    """Deployment Protection: its own 401 page or a redirect to Vercel's login; a page's text proves nothing here."""
    is_vercel = answer.headers.get("server", "").lower() == "vercel"
    html = "html" in answer.headers.get("content-type", "")
    return _is_login(answer) or (answer.status == 401 and is_vercel and html)


def _login(answer: Answer) -> Health:
    return Health(
        outcome=Outcome.BLOCKED,
        state=State.UNKNOWN,
        words=f"{answer.status}: Vercel's login answers, not the application",
        error_kind=ErrorKind.CHALLENGED,
        facts={"http_status": answer.status},
    )


def _observation(source: HttpSource, health: Health, answer: Answer, samples: dict[str, Sample]) -> Observation:
    return Observation(
        target=source.target,
        outcome=health.outcome,
        state=health.state,
        words=health.words,
        origin=source.origin,
        error_kind=health.error_kind,
        facts={**health.facts, **_maintenance(answer, "")},
        samples=samples,
        volatile={"raw": raw_answer(answer)},
    )


def _flapping(health: Health) -> dict[str, Sample]:
    """How often the flapping check fails is a figure, though no state."""
    statuses = [check.status for name, check in health.checks.items() if flaps(name)]
    if not statuses:
        return {}
    return {"memory_check_failing": 1.0 if CheckStatus.FAIL in statuses else 0.0}


def _judge_ping(answer: Answer) -> tuple[State, str]:
    if answer.status >= 500:
        return State.UNHEALTHY, f"{answer.status}{_vercel_error(answer)}"
    if answer.status >= 400:
        return State.UNKNOWN, f"{answer.status}: no ping at this address"
    try:
        value = payload.decode_json(answer.body)
    except payload.Unreadable:
        return State.HEALTHY, "answers, though no JSON"
    claimed = payload.text(value, "status", limit=40)
    if status_of(claimed) in (CheckStatus.FAIL, CheckStatus.WARN):
        return State.DEGRADED, f'answers {answer.status} and claims "{claimed}"'
    return State.HEALTHY, "answers"


def _judge_route(answer: Answer) -> tuple[State, str]:
    way = f" after a redirect to {answer.hops[-1]}" if answer.hops else ""
    if answer.status >= 500:
        return State.UNHEALTHY, f"{answer.status}{_vercel_error(answer)}{way}"
    if answer.status >= 400:
        return State.DEGRADED, f"{answer.status}{way}"
    if answer.location is not None:
        return State.HEALTHY, f"{answer.status}: redirects to another site, {answer.location}"
    return State.HEALTHY, f"{answer.status}{way}"


def _vercel_error(answer: Answer) -> str:
    """Vercel's own name for what went wrong, such as `DEPLOYMENT_PAUSED`."""
    name = answer.headers.get("x-vercel-error")
    return f": {clean(name, 60)}" if name else ""
