"""The routes of the reference backend, as `TableTalk Radar` has them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from console.demo.backend.cache import Cache
from console.demo.backend.csrf import Csrf, keep_session
from console.demo.backend.guard import Guard
from console.demo.backend.logfile import LogFile
from console.demo.backend.metrics import MemoryCheck, Metrics
from console.demo.backend.pool import Pool
from console.demo.backend.state import State

API = frozenset({"/api/v1/audits", "/api/v1/reviews", "/api/v1/clients", "/api/v1/auth/csrf"})
KNOWN = API | {"/", "/pricing", "/debug-env"}
CACHE_TTL_S = 4.0
LARGEST_BODY = 16 * 1024
_NO_STORE = {"cache-control": "no-store"}


class Backend:
    """Handlers over one pool, cache and set of counters."""

    def __init__(self, pool: Pool, state: State, metrics: Metrics) -> None:
        self._pool, self._state, self._metrics = pool, state, metrics
        self._cache = Cache(metrics)
        self._csrf = Csrf()
        self._memory = MemoryCheck()

    def routes(self) -> list[Route]:
        """Everything that is served; the rest is a 404 with an HTML page."""
        return [
            Route("/", self.home),
            Route("/pricing", self.pricing),
            Route("/debug-env", self.debug_page),
            Route("/api/metrics", self.metrics),
            Route("/api/v1/auth/csrf", self.csrf_token),
            Route("/api/v1/clients", self.clients),
            Route("/api/v1/reviews", self.reviews, methods=["GET", "POST"]),
            Route("/api/v1/audits", self.audits, methods=["GET", "POST"]),
            Route("/api/v1/system/health", self.health),
            Route("/api/v1/system/ping", self.ping),
            Route("/api/v1/system/debug", self.debug),
            Route("/api/v1/maintenance/{task}", self.maintenance),
        ]

    async def home(self, request: Request) -> Response:
        """The start page with a figure from the database."""
        count = await self._cache.get("clients", CACHE_TTL_S, self._client_count)
        return self._page(request, "TableTalk Radar", f"<p>{count} restaurants watched</p>")

    async def pricing(self, request: Request) -> Response:
        """A page that needs no database."""
        return self._page(request, "Pricing", "<p>Starter, Growth, Pro</p>")

    async def clients(self, request: Request) -> Response:
        """Clients, cached in memory."""
        query = "SELECT public.all_clients()"
        return _json(await self._cache.get("all", CACHE_TTL_S, lambda: self._pool.value(query)))

    async def reviews(self, request: Request) -> Response:
        """The newest reviews, or a new one."""
        if request.method == "POST":
            return await self._new_review(request)
        return _json(await self._pool.value("SELECT public.latest_reviews()"))

    async def audits(self, request: Request) -> Response:
        """The newest audits, or a new one."""
        if request.method == "POST":
            return await self._new_audit(request)
        return _json(await self._pool.value("SELECT public.latest_audits()"))

    async def csrf_token(self, request: Request) -> Response:
        """The token that writing requests must send."""
        session = self._csrf.session(request)
        response = JSONResponse({"csrfToken": self._csrf.token(session)}, headers=_NO_STORE)
        keep_session(response, session)
        return response

    async def health(self, request: Request) -> Response:
        """As the application has it: 200 and `healthy` whatever the checks say. Costs the database one query."""
        if "health-cached" in self._state.faults:
            return await self._frozen_health()
        return Response(await self._health_body(), 200, _edge("MISS"), "application/json")

    async def ping(self, request: Request) -> Response:
        """Does not touch the database."""
        return JSONResponse({"status": "ok", "message": "pong", "timestamp": _now(), "env": "production"})

    async def metrics(self, request: Request) -> Response:
        """Prometheus text: the instrumentation that the console's documentation proposes."""
        return PlainTextResponse(self._metrics.text(), headers=_NO_STORE, media_type="text/plain; version=0.0.4")

    async def debug(self, request: Request) -> Response:
        """Public, as in the real application: a finding for the Security screen."""
        return JSONResponse({"node": "v22.11.0", "env": "production", "pool": {"waiting": self._pool.waiting}})

    async def debug_page(self, request: Request) -> Response:
        """Public, as in the real application. It shows names only: even the demo prints no value."""
        return HTMLResponse(
            "<!doctype html><title>env</title><pre>NEXT_PUBLIC_SUPABASE_URL: set\nAUTH_SECRET: set</pre>"
        )

    async def maintenance(self, request: Request) -> Response:
        """Unauthenticated, as in the real application; it only answers."""
        return JSONResponse({"task": request.path_params["task"][:40], "state": "idle"})

    async def _health_body(self) -> bytes:
        began = time.perf_counter()
        checks = {
            "database": await self._database_check(),
            "memory": self._memory.check("memory-flap" in self._state.faults),
        }
        return json.dumps({
            "status": "healthy", "timestamp": _now(), "version": self._state.serving.version,
            "environment": "production", "checks": checks,
            "responseTime": f"{(time.perf_counter() - began) * 1000:.0f}ms",
        }).encode()  # fmt: skip

    async def _database_check(self) -> dict[str, str]:
        try:
            await self._pool.value("SELECT status FROM public.system_health")
        except Exception as error:  # noqa: BLE001 - whatever went wrong is what the check says
            return {"status": "fail", "message": str(error).splitlines()[0][:200]}
        return {"status": "pass"}

    async def _frozen_health(self) -> Response:
        if self._state.cached_health is None:
            self._state.cached_health = (await self._health_body(), time.monotonic())
        body, made = self._state.cached_health
        age = {"age": str(max(1, int(time.monotonic() - made)))}
        return Response(body, 200, {**_edge("HIT"), **age}, "application/json")

    async def _new_review(self, request: Request) -> Response:
        values = await self._written(request, ("client", "rating", "text"))
        if isinstance(values, Response):
            return values
        query = (
            "INSERT INTO public.reviews (client_id, source, rating, body) VALUES (%s, 'direct', %s, %s) RETURNING id"
        )
        number = await self._pool.value(query, (values["client"], values["rating"], str(values["text"])[:500]))
        return self._made("business_reviews", number)

    async def _new_audit(self, request: Request) -> Response:
        values = await self._written(request, ("client", "score"))
        if isinstance(values, Response):
            return values
        query = "INSERT INTO public.audits (client_id, score) VALUES (%s, %s) RETURNING id"
        number = await self._pool.value(query, (values["client"], values["score"]))
        return self._made("business_audits", number)

    def _made(self, event: str, number: object) -> Response:
        self._metrics.events[event] += 1
        return JSONResponse({"id": number}, 201)

    async def _written(self, request: Request, names: tuple[str, ...]) -> dict[str, object] | Response:
        """The values of a writing request, or the answer that refuses it."""
        if not self._csrf.holds(request):
            return JSONResponse({"error": "Invalid CSRF token"}, 403)
        body = await request.body()
        try:
            values = json.loads(body) if len(body) <= LARGEST_BODY else None
        except ValueError:
            values = None
        if not isinstance(values, dict) or not _valid(values, names):
            return JSONResponse({"error": f"expected {', '.join(names)}"}, 400)
        return values

    async def _client_count(self) -> object:
        return await self._pool.value("SELECT count(*) FROM public.clients")

    def _page(self, request: Request, title: str, content: str) -> Response:
        head = f"<!doctype html><html><head><title>{title}</title></head>"
        response = HTMLResponse(f"{head}<body><h1>{title}</h1>{content}</body></html>", headers=_edge("MISS"))
        keep_session(response, self._csrf.session(request))
        return response


def build(pool: Pool, state: State, metrics: Metrics, log: LogFile) -> ASGIApp:
    """The application with everything that stands before it."""
    routes = Backend(pool, state, metrics).routes()
    # A bare router: Starlette's own server-error page would hide the error from the guard, which answers and logs it.
    return Guard(Router(routes, default=_not_found), state, metrics, log, KNOWN)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    page = "<!doctype html><html><head><title>404: This page could not be found.</title></head><body>404</body></html>"
    await HTMLResponse(page, 404)(scope, receive, send)


def _valid(values: dict[str, object], names: tuple[str, ...]) -> bool:
    limits = {"client": 10**9, "rating": 5, "score": 100}
    for name in names:
        value = values.get(name)
        if name == "text":
            if not isinstance(value, str):
                return False
        elif not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= limits[name]:
            return False
    return True


def _json(text: object) -> Response:
    return Response(str(text), 200, None, "application/json")


def _edge(cache: str) -> dict[str, str]:
    return {"x-vercel-cache": cache}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
