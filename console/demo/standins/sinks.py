"""Where notifications go: stand-ins for Slack, Statuspage, PagerDuty, a webhook and a watcher of heartbeats.

They keep what they get, oldest first: `GET /received` shows it, to tests and the curious.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from console.demo.standins.answers import Handler, bears, iso, now_ms

LARGEST_POST = 256 * 1024
KEPT_POSTS = 200
PAGE = "page_demo"
ROUTING_KEY_LENGTH = 32
COMPONENTS = {"cmp_website": "Website", "cmp_api": "API", "cmp_reports": "Reports"}
COMPONENT_STATES = frozenset(
    {"operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"}
)
REALTIME = ("investigating", "identified", "monitoring", "resolved", "postmortem")
SCHEDULED = ("scheduled", "in_progress", "verifying", "completed")
LISTS = {
    "unresolved": REALTIME[:3], "scheduled": SCHEDULED, "upcoming": SCHEDULED[:1], "active_maintenance": SCHEDULED[1:3],
}  # fmt: skip
"""The lists beside `incidents`: name to the states in it."""
KEPT = ("name", "metadata", "scheduled_for", "scheduled_until")
"""What an update changes of an incident itself."""
_ENDED = frozenset({"resolved", "postmortem", "completed"})
_BLOCKS = 50


@dataclass(slots=True)
class Sinks:
    """All of them on one port, and the state of the status page. `faults`: the names of those that are on."""

    statuspage_key: str
    webhook_token: str = ""
    faults: Collection[str] = frozenset()
    received: list[dict[str, object]] = field(default_factory=list)
    incidents: dict[str, dict[str, object]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=lambda: dict.fromkeys(COMPONENTS, "operational"))

    def application(self) -> ASGIApp:
        """To be served."""
        page = "/v1/pages/{page}"
        routes = [
            Route("/services/{team}/{channel}/{secret}", self.slack, methods=["POST"]),
            Route("/v2/enqueue", self.pagerduty, methods=["POST"]),
            Route("/hooks/{name}", self.webhook, methods=["POST"]),
            Route("/heartbeat/{secret}", self.heartbeat, methods=["GET", "POST"]),
            Route(f"{page}/components", self._guarded(self.components)),
            Route(f"{page}/components/{{component}}", self._guarded(self.set_component), methods=["PATCH"]),
            Route(f"{page}/incidents", self._guarded(self.list_incidents)),
            Route(f"{page}/incidents", self._guarded(self.create_incident), methods=["POST"]),
            Route(f"{page}/incidents/{{incident}}", self._guarded(self.incident), methods=["GET", "PATCH"]),
            Route("/received", self.show),
        ]
        return Router(routes, default=PlainTextResponse("no_service", 404))

    async def slack(self, request: Request) -> Response:
        """200 with the text `ok`."""
        if "slack-down" in self.faults:
            return PlainTextResponse("rollup_error", 500)
        body = await self._keep(request, "slack")
        blocks = body.get("blocks", []) if body else []
        if not isinstance(blocks, list) or len(blocks) > _BLOCKS:
            return PlainTextResponse("invalid_blocks", 400)
        return PlainTextResponse("ok") if body and body.get("text") else PlainTextResponse("invalid_payload", 400)

    async def pagerduty(self, request: Request) -> Response:
        """202: accepted, not necessarily an incident."""
        body = await self._keep(request, "pagerduty")
        errors = _invalid_event(body or {})
        if errors:
            told = {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
            return JSONResponse(told, 400)
        key = (body or {}).get("dedup_key") or f"demo{len(self.received)}"
        return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)

    async def webhook(self, request: Request) -> Response:
        """Any other listener: one JSON object, and the token where one was agreed on."""
        if self.webhook_token and not bears(request, self.webhook_token):
            return JSONResponse({"error": "unauthorized"}, 401)
        body = await self._keep(request, f"webhook {request.path_params['name']}")
        return JSONResponse({"ok": True}) if body is not None else JSONResponse({"error": "no JSON object"}, 400)

    async def heartbeat(self, request: Request) -> Response:
        """Whoever watches for silence; each beat is kept."""
        self._remember("heartbeat", {})
        return PlainTextResponse("OK")

    async def components(self, request: Request) -> Response:
        """The public page's components with their states."""
        return JSONResponse([self._component(name) for name in COMPONENTS])

    async def set_component(self, request: Request) -> Response:
        """Change the state of one."""
        body = await self._keep(request, "statuspage")
        wanted, told = request.path_params["component"], (body or {}).get("component")
        status = told.get("status") if isinstance(told, dict) else None
        if wanted not in self.statuses:
            return _error(404, "not found")
        if status not in COMPONENT_STATES:
            return _error(422, ["Status is not included in the list"])
        self.statuses[wanted] = str(status)
        return JSONResponse(self._component(wanted))

    async def list_incidents(self, request: Request) -> Response:
        """Newest first."""
        return JSONResponse(list(self.incidents.values())[::-1])

    async def create_incident(self, request: Request) -> Response:
        """A new one, a scheduled one too."""
        told = await self._incident_told(request)
        if told is None or not told.get("name"):
            return _error(422, ["Name can't be blank"])
        scheduled = bool(told.get("scheduled_for")) or told.get("status") in SCHEDULED
        if told.get("status", "investigating") not in (SCHEDULED if scheduled else REALTIME) + ("scheduled",):
            return _error(422, ["Status is not valid"])
        made, name = iso(now_ms()), f"inc_demo{len(self.incidents) + 1}"
        self.incidents[name] = {
            "id": name, "page_id": PAGE, "name": told["name"], "status": "scheduled" if scheduled else "investigating",
            "impact": told.get("impact_override") or ("maintenance" if scheduled else "minor"),
            "impact_override": told.get("impact_override"), "shortlink": f"https://stspg.example/{name}",
            "created_at": made, "updated_at": made, "started_at": made, "monitoring_at": None, "resolved_at": None,
            "scheduled_for": told.get("scheduled_for"), "scheduled_until": told.get("scheduled_until"),
            "metadata": told.get("metadata", {}), "components": [], "incident_updates": [],
        }  # fmt: skip
        return JSONResponse(self._update(self.incidents[name], told), 201)

    async def incident(self, request: Request) -> Response:
        """One; an update is a PATCH with a new body."""
        found = self.incidents.get(request.path_params["incident"])
        if found is None and request.path_params["incident"] in LISTS:
            return JSONResponse(self._chosen(request.path_params["incident"]))
        if found is None:
            return _error(404, "not found")
        if request.method == "GET":
            return JSONResponse(found)
        told = await self._incident_told(request)
        if told is None or told.get("status", found["status"]) not in REALTIME + SCHEDULED:
            return _error(422, ["Status is not valid"])
        return JSONResponse(self._update(found, told))

    async def show(self, request: Request) -> Response:
        """What has arrived."""
        return JSONResponse(self.received)

    def _chosen(self, which: str) -> list[dict[str, object]]:
        return [each for each in list(self.incidents.values())[::-1] if each["status"] in LISTS[which]]

    def _update(self, incident: dict[str, object], told: dict[str, object]) -> dict[str, object]:
        at = iso(now_ms())
        status = told.get("status", incident["status"])
        changed = told.get("components")
        states = changed if isinstance(changed, dict) else {}
        affected = self._affect({str(name): str(state) for name, state in states.items()})
        listed = told.get("component_ids")
        names = [name for name in [*states, *(listed if isinstance(listed, list) else [])] if name in self.statuses]
        update = {
            "id": f"upd_demo{len(self.received)}", "incident_id": incident["id"], "status": status,
            "body": told.get("body"), "created_at": at, "display_at": at, "updated_at": at,
            "deliver_notifications": told.get("deliver_notifications", True), "affected_components": affected,
        }  # fmt: skip
        known = incident["components"] if isinstance(incident["components"], list) else []
        wanted = dict.fromkeys([*(str(each["id"]) for each in known), *(str(name) for name in names)])
        updates = incident["incident_updates"] if isinstance(incident["incident_updates"], list) else []
        kept: dict[str, object] = {
            key: told[key] for key in ("name", "metadata", "scheduled_for", "scheduled_until") if key in told
        }
        incident.update(
            kept, status=status, updated_at=at, components=[self._component(name) for name in wanted],
            incident_updates=[update, *updates], resolved_at=at if status in _ENDED else None,
        )  # fmt: skip
        return incident

    def _affect(self, states: dict[str, str]) -> list[dict[str, object]]:
        """Set the states of components, as an incident does that names them."""
        affected: list[dict[str, object]] = []
        for name, state in states.items():
            if name in self.statuses and state in COMPONENT_STATES:
                affected.append({
                    "code": name, "name": COMPONENTS[name], "old_status": self.statuses[name], "new_status": state,
                })  # fmt: skip
                self.statuses[name] = state
        return affected

    def _component(self, name: str) -> dict[str, object]:
        return {
            "id": name, "page_id": PAGE, "group_id": None, "name": COMPONENTS[name], "status": self.statuses[name],
            "position": list(COMPONENTS).index(name) + 1, "description": None, "showcase": True,
            "only_show_if_degraded": False,
        }  # fmt: skip

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            if "statuspage-down" in self.faults:
                return _error(500, "Internal Server Error")
            if not bears(request, self.statuspage_key, "OAuth"):
                return _error(401, "Could not authenticate")
            return await handler(request) if request.path_params["page"] == PAGE else _error(404, "not found")

        return guarded

    async def _incident_told(self, request: Request) -> dict[str, object] | None:
        body = await self._keep(request, "statuspage")
        told = (body or {}).get("incident")
        return told if isinstance(told, dict) else None

    async def _keep(self, request: Request, to: str) -> dict[str, object] | None:
        raw = await request.body()
        try:
            body = json.loads(raw) if len(raw) <= LARGEST_POST else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return None
        self._remember(to, body)
        return body

    def _remember(self, to: str, body: dict[str, object]) -> None:
        self.received = [*self.received, {"to": to, "at_ms": now_ms(), "body": body}][-KEPT_POSTS:]


def _invalid_event(body: dict[str, object]) -> list[str]:
    found = []
    if len(str(body.get("routing_key", ""))) != ROUTING_KEY_LENGTH:
        found.append(f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_LENGTH} characters)")
    action = body.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        found.append("'event_action' is not valid")
    if action in ("acknowledge", "resolve") and not body.get("dedup_key"):
        found.append("'dedup_key' is missing or blank")
    payload = body.get("payload")
    if action == "trigger":
        told = payload if isinstance(payload, dict) else {}
        found += [f"'payload.{name}' is missing or blank" for name in ("summary", "source", "severity")
                  if not told.get(name)]  # fmt: skip
    return found


def _error(status: int, words: object) -> Response:
    return JSONResponse({"error": words}, status)
