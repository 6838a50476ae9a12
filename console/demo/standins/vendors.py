"""Stand-ins for vendors' public status pages and for the witnesses of egress."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import iso, message, now_ms

COMPONENTS = {
    "vercel": ("Edge Network", "Builds", "API", "Serverless Functions"),
    "supabase": ("API Gateway", "Auth", "Database", "Connection Pooler", "Management API"),
    "github": ("Actions", "Webhooks", "API Requests", "Git Operations"),
}


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
