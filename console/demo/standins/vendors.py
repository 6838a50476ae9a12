"""Stand-ins for vendors' public status pages, witnesses of egress, and the places that notifications go to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import bears, iso, message, now_ms

COMPONENTS = {
    "vercel": ("Edge Network", "Builds", "API", "Serverless Functions"),
    "supabase": ("API Gateway", "Auth", "Database", "Connection Pooler", "Management API"),
    "github": ("Actions", "Webhooks", "API Requests", "Git Operations"),
}
LARGEST_POST = 256 * 1024
KEPT_POSTS = 200


@dataclass(slots=True)
class StatusPages:
    """`/VENDOR/api/v2/summary.json`. `since_ms`: Supabase has an incident."""

    since_ms: int | None = None

    def application(self) -> ASGIApp:
        """To be served."""
        routes = [Route(f"/{{vendor}}/api/v2/{name}.json", self.page) for name in ("summary", "status", "components")]
        return Router(routes, default=message(404, "Not Found"))

    async def page(self, request: Request) -> Response:
        """The summary; the smaller documents are parts of it, so it answers for them too."""
        vendor = request.path_params["vendor"]
        if vendor not in COMPONENTS:
            return message(404, "Not Found")
        ill = self.since_ms is not None and vendor == "supabase"
        status = ("major", "Partial System Outage") if ill else ("none", "All Systems Operational")
        page = {"id": f"page_{vendor}", "name": vendor.capitalize(), "time_zone": "Etc/UTC"}
        return JSONResponse({
            "page": {**page, "updated_at": iso(now_ms())},
            "status": {"indicator": status[0], "description": status[1]}, "components": _components(vendor, ill),
            "incidents": [self._incident()] if ill else [], "scheduled_maintenances": [],
        })  # fmt: skip

    def _incident(self) -> dict[str, object]:
        at = iso(self.since_ms or 0)
        words = "We are seeing 502 responses from the API gateway in eu-central-1. Direct connections are not affected."
        update = {"id": "upd1", "status": "identified", "body": words, "created_at": at}
        return {
            "id": f"inc{self.since_ms}", "name": "Elevated API gateway errors in eu-central-1", "status": "identified",
            "impact": "major", "created_at": at, "started_at": at, "updated_at": at, "incident_updates": [update],
            "components": [{"id": "supabase0", "name": "API Gateway", "status": "partial_outage"}],
        }  # fmt: skip


def _components(vendor: str, ill: bool) -> list[dict[str, object]]:
    return [
        {
            "id": f"{vendor}{index}", "name": name, "group": False, "group_id": None, "position": index + 1,
            "status": "partial_outage" if ill and index == 0 else "operational",
        }
        for index, name in enumerate(COMPONENTS[vendor])
    ]  # fmt: skip


async def witness(request: Request) -> Response:
    """What tells the console that its own machine is online: an empty 204."""
    return Response(status_code=204)


def witness_application() -> ASGIApp:
    """To be served on the port of a witness."""
    return Router([Route("/generate_204", witness)], default=message(404, "Not Found"))


@dataclass(slots=True)
class Sinks:
    """Slack's webhook, Statuspage's write API and PagerDuty's queue, which keep what they get: see `GET /received`."""

    statuspage_key: str
    received: list[dict[str, object]] = field(default_factory=list)

    def application(self) -> ASGIApp:
        """To be served."""
        routes = [
            Route("/services/{team}/{channel}/{secret}", self.slack, methods=["POST"]),
            Route("/v1/pages/{page}/components", self.components),
            Route("/v1/pages/{page}/incidents", self.statuspage, methods=["GET", "POST"]),
            Route("/v2/enqueue", self.pagerduty, methods=["POST"]),
            Route("/received", self.show),
        ]
        return Router(routes, default=PlainTextResponse("no_service", 404))

    async def slack(self, request: Request) -> Response:
        """200 with the text `ok`."""
        body = await self._keep(request, "slack")
        return PlainTextResponse("ok") if body and body.get("text") else PlainTextResponse("invalid_payload", 400)

    async def pagerduty(self, request: Request) -> Response:
        """202: accepted, not necessarily an incident."""
        body = await self._keep(request, "pagerduty")
        if not body or "routing_key" not in body:
            return JSONResponse({"status": "invalid event", "message": "Event object is invalid", "errors": []}, 400)
        key = body.get("dedup_key") or f"demo{len(self.received)}"
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    async def components(self, request: Request) -> Response:
        """The public page's components."""
        if not bears(request, self.statuspage_key, "OAuth"):
            return JSONResponse({"error": "Could not authenticate"}, 401)
        names = ("Website", "API", "Reports")
        return JSONResponse([{"id": f"cmp_{name.lower()}", "name": name, "status": "operational"} for name in names])

    async def statuspage(self, request: Request) -> Response:
        """List or create incidents."""
        if not bears(request, self.statuspage_key, "OAuth"):
            return JSONResponse({"error": "Could not authenticate"}, 401)
        if request.method == "GET":
            return JSONResponse([entry["body"] for entry in self.received if entry["to"] == "statuspage"])
        body = await self._keep(request, "statuspage")
        incident = body.get("incident") if body else None
        if not isinstance(incident, dict) or not incident.get("name"):
            return JSONResponse({"error": ["Name can't be blank"]}, 422)
        return JSONResponse({"id": f"inc_demo{len(self.received)}", **incident}, 201)

    async def show(self, request: Request) -> Response:
        """What has arrived, oldest first: for tests and the curious."""
        return JSONResponse(self.received)

    async def _keep(self, request: Request, to: str) -> dict[str, object] | None:
        raw = await request.body()
        try:
            body = json.loads(raw) if len(raw) <= LARGEST_POST else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return None
        self.received = [*self.received, {"to": to, "at_ms": now_ms(), "body": body}][-KEPT_POSTS:]
        return body
