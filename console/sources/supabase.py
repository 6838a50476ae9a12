"""Supabase in its parts, each asked apart: the gateway with PostgREST, auth, and what the platform says of the project.

The gateway can fail while direct SQL works, and the other way round. The pooler and direct SQL speak PostgreSQL's
protocol and belong to that source.
"""

from __future__ import annotations

from collections.abc import Mapping

from console.model import payload
from console.model.configuration import Environment, Secret, Supabase
from console.model.observation import ErrorKind, Json, Observation, Origin, Outcome, Source
from console.model.states import State, worst
from console.sources.base import HttpSource, api_value, ok_sample, raw_answer
from console.sources.faults import Fault
from console.sources.http import Answer, Client, Clients, Limits, Request

SERVICES = ("auth", "db", "pooler", "realtime", "rest", "storage")
HEALTH_LIMITS = Limits(read_s=8.0, total_s=8.0)  # Supabase itself waits up to 2 s for each service

_PROJECT_STATES = {
    "ACTIVE_HEALTHY": State.HEALTHY,
    **dict.fromkeys(("COMING_UP", "UPGRADING", "RESTARTING", "RESIZING"), State.DEGRADED),
    **dict.fromkeys(("ACTIVE_UNHEALTHY", "INACTIVE", "GOING_DOWN", "INIT_FAILED", "REMOVED"), State.UNHEALTHY),
    **dict.fromkeys(("RESTORING", "PAUSING", "RESTORE_FAILED", "PAUSE_FAILED"), State.UNHEALTHY),
}
_SERVICE_STATES = {
    "ACTIVE_HEALTHY": State.HEALTHY,
    "COMING_UP": State.DEGRADED,
    "UNHEALTHY": State.DEGRADED,  # one service of six, as the platform sees it; our own probes say what it means for us
}


class ProjectSource(HttpSource):
    """What Supabase's management API says of the project and its services."""

    origin = Origin.API
    unreachable = State.UNKNOWN

    def __init__(self, settings: Supabase, token: Secret, client: Client, *, interval_s: float) -> None:
        super().__init__("supabase.project", client, interval_s=interval_s, limits=Limits(total_s=20.0))
        self._url = f"{settings.api.rstrip('/')}/v1/projects/{settings.ref}"
        self._credentials = {"authorization": Secret(f"Bearer {token.reveal()}")}

    async def ask(self) -> Observation:
        """The project's status, then its services'."""
        project = api_value(await self.get(Request(url=self._url, credentials=self._credentials)), "Supabase")
        status = payload.text(project, "status", limit=40)
        services, volatile = await self._services()
        facts: dict[str, Json] = {
            "ref": payload.text(project, "ref", limit=40),
            "name": payload.text(project, "name"),
            "region": payload.text(project, "region", limit=60),
            "status": status,
            "services": services,
        }
        state, words = _judge_project(status, services)
        return self.answered(state, words, facts=facts, volatile=volatile)

    async def _services(self) -> tuple[dict[str, Json], dict[str, Json]]:
        """Each service's status, and the answer's errors; no services when that call alone fails."""
        query = "&".join(f"services={name}" for name in SERVICES)
        url = f"{self._url}/health?{query}&timeout_ms=2000"
        try:
            answer = await self.get(Request(url=url, credentials=self._credentials, limits=HEALTH_LIMITS))
            listed = payload.items(api_value(answer, "Supabase"))
        except Fault as fault:
            return {}, {"services": fault.words}
        named = {name: item for item in list(listed)[:20] if (name := payload.text(item, "name", limit=40))}
        statuses: dict[str, Json] = {name: payload.text(item, "status", limit=40) for name, item in named.items()}
        errors: dict[str, Json] = {name: said for name, item in named.items() if (said := payload.text(item, "error"))}
        return statuses, {"services": errors} if errors else {}


class GatewaySource(HttpSource):
    """The gateway in front of the project: with a key through to PostgREST and so to the database."""

    def __init__(self, gateway: str, key: Secret | None, client: Client, *, interval_s: float) -> None:
        super().__init__("supabase.gateway", client, interval_s=interval_s)
        self._has_key = key is not None
        # The answer describes the whole schema, hundreds of KiB for a large one: its beginning is enough.
        self._request = Request(url=f"{gateway}/rest/v1/", credentials=_key_headers(key), cut=True)

    async def ask(self) -> Observation:
        """Whether a request gets through."""
        answer = await self.get(self._request)
        if answer.status in (401, 403) and self._has_key and not _is_from_postgrest(answer):
            raise _refused(answer)
        state, words = _judge_gateway(answer, has_key=self._has_key)
        return _probed(self, answer, state, words)


class AuthSource(HttpSource):
    """The auth service's own health, through the gateway."""

    def __init__(self, gateway: str, key: Secret | None, client: Client, *, interval_s: float) -> None:
        super().__init__("supabase.auth", client, interval_s=interval_s)
        self._has_key = key is not None
        self._request = Request(url=f"{gateway}/auth/v1/health", credentials=_key_headers(key))

    async def ask(self) -> Observation:
        """Whether auth answers."""
        answer = await self.get(self._request)
        if answer.status in (401, 403):
            if self._has_key:
                raise _refused(answer)
            return _probed(self, answer, State.UNKNOWN, "the gateway answers; without anon_key auth is not asked")
        if answer.status == 200:
            version = payload.text(api_value(answer, "auth"), "version", limit=60)
            return _probed(self, answer, State.HEALTHY, "answers", version=version)
        return _probed(self, answer, _state_of(answer.status), f"answers {answer.status}")


def build(environment: Environment, clients: Clients) -> list[Source]:
    """The parts that are configured: gateway and auth always, the project with a token."""
    settings, interval_s = environment.supabase, environment.intervals.supabase_s
    if settings is None:
        return []
    gateway = (settings.gateway or f"https://{settings.ref}.supabase.co").rstrip("/")
    client = clients.of(gateway)
    sources: list[Source] = [
        GatewaySource(gateway, settings.anon_key, client, interval_s=interval_s),
        AuthSource(gateway, settings.anon_key, client, interval_s=interval_s),
    ]
    if settings.token is not None:
        management = clients.of(settings.api)
        sources.append(ProjectSource(settings, settings.token, management, interval_s=interval_s))
    return sources


def _key_headers(key: Secret | None) -> Mapping[str, Secret]:
    return {"apikey": key} if key is not None else {}


def _refused(answer: Answer) -> Fault:
    words = f"{answer.status}: the gateway refuses the anon key"
    return Fault(ErrorKind.CREDENTIALS, words, outcome=Outcome.FORBIDDEN, http_status=answer.status)


def _is_from_postgrest(answer: Answer) -> bool:
    """Whether PostgREST itself refused: its errors carry a code, `PGRST…` or an SQLSTATE; the gateway's do not."""
    try:
        code = payload.text(payload.decode_json(answer.body), "code", limit=20)
    except payload.Unreadable:
        return False
    return code is not None and (code.startswith("PGRST") or len(code) == 5)


def _judge_gateway(answer: Answer, *, has_key: bool) -> tuple[State, str]:
    if answer.status < 300:
        return State.HEALTHY, "answers"
    if answer.status in (401, 403):
        how = (
            "PostgREST answers, though not this request"
            if has_key
            else "the gateway answers; no anon_key to go on with"
        )
        return State.HEALTHY, how
    return _state_of(answer.status), f"answers {answer.status}"


def _state_of(status: int) -> State:
    return State.UNHEALTHY if status >= 500 else State.DEGRADED


def _probed(source: HttpSource, answer: Answer, state: State, words: str, version: str | None = None) -> Observation:
    facts: dict[str, Json] = {"http_status": answer.status} | ({"version": version} if version else {})
    raw: dict[str, Json] = {} if answer.status < 300 else {"raw": raw_answer(answer)}
    return source.answered(
        state, words, facts=facts, samples=ok_sample(state) | {"latency_ms": answer.latency_ms}, volatile=raw
    )


def _judge_project(status: str | None, services: Mapping[str, Json]) -> tuple[State, str]:
    project = _PROJECT_STATES.get(status or "", State.UNKNOWN)
    parts = {name: _SERVICE_STATES.get(str(said), State.UNKNOWN) for name, said in services.items()}
    ill = [f"{name} {str(services[name]).lower()}" for name, state in parts.items() if state is not State.HEALTHY]
    words = f"project {(status or 'without a status').lower()}"
    if ill:
        words += f"; services: {', '.join(ill)}"
    elif not services:
        words += "; services not read"
    return worst([project, *parts.values()]), words
