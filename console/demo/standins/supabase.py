"""Stand-ins for Supabase: the management API, and a project's gateway with REST and auth behind it.

The gateway really asks PostgreSQL for each REST request; auth answers without it, as GoTrue's health does.
"""

from __future__ import annotations

import asyncio
from typing import LiteralString

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import Handler, WithHeaders, bears, html, iso, message
from console.demo.world import DAY_MS, PROJECT_NAME, REF, World

SERVICES = ("auth", "db", "db_postgres_user", "pg_bouncer", "pooler", "realtime", "rest", "storage")
QUERY_TIMEOUT_S = 8.0  # PostgREST's role has a statement time-out of 8 s at Supabase
MOST_ASKING = 20
TABLES: dict[str, LiteralString] = {
    "clients": "SELECT coalesce(json_agg(r), '[]')::text FROM (SELECT id, name FROM public.clients LIMIT 20) r",
    "reviews": "SELECT coalesce(json_agg(r), '[]')::text FROM (SELECT id, rating FROM public.reviews LIMIT 20) r",
    "audits": "SELECT coalesce(json_agg(r), '[]')::text FROM (SELECT id, score FROM public.audits LIMIT 20) r",
}


class Rest:
    """PostgREST's one connection to the database, opened again when it broke."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.AsyncConnection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._asking: set[asyncio.Task[object]] = set()

    async def value(self, query: LiteralString, timeout_s: float = QUERY_TIMEOUT_S) -> object:
        """The first column of the first row. Raises psycopg.Error or TimeoutError.

        A query that takes too long is left behind, not cancelled: psycopg's cancelling waits for a server that hangs.
        """
        if len(self._asking) >= MOST_ASKING:
            raise TimeoutError
        task = asyncio.ensure_future(self._value(query))
        self._asking.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait({task}, timeout=timeout_s)
        if not task.done():
            raise TimeoutError
        return task.result()

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._asking.discard(task)
        task.exception()  # fetched, so that asyncio does not report what nobody waits for any more

    async def _value(self, query: LiteralString) -> object:
        async with self._one_at_a_time:
            connection = await self._connected()
            row = await (await connection.execute(query)).fetchone()
        return row[0] if row else None

    async def _connected(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.broken:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn, autocommit=True, connect_timeout=5, application_name="postgrest"
            )
        return self._connection


class Gateway:
    """What `https://REF.supabase.co` serves. `down`: Kong answers 502 to everything."""

    def __init__(self, rest: Rest, key: str) -> None:
        self._rest, self._key = rest, key
        self.down = False

    def application(self) -> ASGIApp:
        """To be served."""
        routes = [
            self._route("/rest/v1/", self.root),
            self._route("/rest/v1/{table}", self.table),
            self._route("/auth/v1/health", self.auth),
        ]
        return Router(routes, default=message(404, "no Route matched with those values"))

    def _route(self, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            if self.down:
                return html(502, "502 Bad Gateway")
            refusal = self._refusal(request)
            return refusal or await handler(request)

        return Route(path, guarded, methods=["GET", "HEAD"])

    def _refusal(self, request: Request) -> Response | None:
        key = request.headers.get("apikey") or request.query_params.get("apikey")
        if key is None:
            return JSONResponse({"message": "No API key found in request", "hint": "No `apikey` request header."}, 401)
        return None if key == self._key else message(401, "Invalid API key")

    async def root(self, request: Request) -> Response:
        """PostgREST's description of itself; it is up when the database answers."""
        body = {"swagger": "2.0", "info": {"title": "PostgREST", "version": "13.0.4"}, "paths": {"/": {}}}
        return await self._ask("SELECT '1'", JSONResponse(body, media_type="application/openapi+json"))

    async def table(self, request: Request) -> Response:
        """Rows of one table."""
        query = TABLES.get(request.path_params["table"])
        return await self._ask(query) if query else message(404, "Could not find the table in the schema cache")

    async def auth(self, request: Request) -> Response:
        """GoTrue."""
        description = "GoTrue is a user registration and authentication API"
        return JSONResponse({"version": "v2.180.0", "name": "GoTrue", "description": description})

    async def _ask(self, query: LiteralString, answer: Response | None = None) -> Response:
        try:
            value = await self._rest.value(query)
        except TimeoutError:
            return html(504, "504 Gateway Time-out")
        except psycopg.OperationalError as error:
            words = f"Could not connect with the database due to connection error: {str(error).splitlines()[0]}"
            return JSONResponse({"code": "PGRST000", "message": words, "details": None, "hint": None}, 503)
        except psycopg.Error as error:
            return JSONResponse({"code": error.sqlstate, "message": str(error).splitlines()[0]}, 500)
        return answer or Response(str(value), 200, {"content-range": "0-19/*"}, "application/json")


class Management:
    """The management API for the one project."""

    def __init__(self, world: World, rest: Rest, gateway: Gateway, token: str) -> None:
        self._world, self._rest, self._gateway, self._token = world, rest, gateway, token

    def application(self) -> ASGIApp:
        """To be served."""
        routes = [
            self._route("/v1/projects", self.projects),
            self._route("/v1/projects/{ref}", self.project),
            self._route("/v1/projects/{ref}/health", self.health),
        ]
        headers = {"x-ratelimit-limit": "120", "x-ratelimit-remaining": "118", "x-ratelimit-reset": "60"}
        return WithHeaders(Router(routes, default=message(404, "Not Found")), lambda: headers)

    def _route(self, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            if not bears(request, self._token):
                return message(401, "Unauthorized")
            if request.path_params.get("ref", REF) != REF:
                return message(404, "Project not found")
            return await handler(request)

        return Route(path, guarded)

    async def projects(self, request: Request) -> Response:
        """The one project, as a list."""
        return JSONResponse([self._document()])

    async def project(self, request: Request) -> Response:
        """The project. Its status is the control plane's: a database that fails shows in `health`, not here."""
        return JSONResponse(self._document())

    async def health(self, request: Request) -> Response:
        """The services asked for, each with its state."""
        asked = [name for part in request.query_params.getlist("services") for name in part.split(",")]
        if not asked:
            return message(400, "services: Required")
        database_error = await self._database_error() if set(asked) - {"auth"} else None
        return JSONResponse([self._service(name, database_error) for name in asked if name in SERVICES])

    def _service(self, name: str, database_error: str | None) -> dict[str, object]:
        error = None if name == "auth" else database_error
        if self._gateway.down and name in ("auth", "rest"):
            error = "upstream connect error or disconnect before headers"
        state = "UNHEALTHY" if error else "ACTIVE_HEALTHY"
        return {"name": name, "healthy": error is None, "status": state, **({"error": error} if error else {})}

    async def _database_error(self) -> str | None:
        try:
            await self._rest.value("SELECT '1'", timeout_s=2.0)
        except TimeoutError:
            return "Connection timed out"
        except psycopg.Error as error:
            return str(error).splitlines()[0][:200]
        return None

    def _document(self) -> dict[str, object]:
        return {
            "id": REF, "ref": REF, "organization_id": "tabletalk-demo", "organization_slug": "tabletalk-demo",
            "name": PROJECT_NAME, "region": "eu-central-1", "status": "ACTIVE_HEALTHY",
            "created_at": iso(self._world.now_ms - 200 * DAY_MS),
            "database": {
                "host": f"db.{REF}.supabase.co", "version": "17.6.1.111", "postgres_engine": "17",
                "release_channel": "ga",
            },
        }  # fmt: skip
