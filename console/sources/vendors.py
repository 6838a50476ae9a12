"""Vendors' public status pages (Statuspage's summary.json): whether it is them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from console.model import payload
from console.model.configuration import Environment, Vendor
from console.model.observation import Event, Json, Observation, Origin, Source
from console.model.states import State, worst
from console.model.text import clean
from console.sources.base import HttpSource, api_value
from console.sources.http import Client, Clients, Request

SUMMARY_PATH = "/api/v2/summary.json"
INCIDENTS_LIMIT = 10
COMPONENTS_LIMIT = 200

_INDICATORS = {
    "none": State.HEALTHY,
    "minor": State.DEGRADED,
    "maintenance": State.DEGRADED,
    "major": State.UNHEALTHY,
    "critical": State.UNHEALTHY,
}
_COMPONENTS = {
    "operational": State.HEALTHY,
    "degraded_performance": State.DEGRADED,
    "under_maintenance": State.DEGRADED,
    "partial_outage": State.UNHEALTHY,
    "major_outage": State.UNHEALTHY,
}


class VendorSource(HttpSource):
    """One vendor's page, narrowed to the components that concern us. Emits events when incidents begin and end."""

    origin = Origin.API
    unreachable = State.UNKNOWN

    def __init__(self, vendor: Vendor, client: Client, *, interval_s: float) -> None:
        super().__init__(f"vendor:{clean(vendor.name, 60)}", client, interval_s=interval_s)
        self._vendor = vendor
        url = vendor.url.rstrip("/")
        self._request = Request(url=url if url.endswith(".json") else url + SUMMARY_PATH, redirects=2)
        self._open: dict[str, str] = {}
        """Incidents as last seen: id to name."""

    async def ask(self) -> Observation:
        """What the page reports."""
        summary = api_value(await self.get(self._request), f"{self._vendor.name}'s status page")
        components = _components(summary, self._vendor.components)
        incidents = _incidents(summary, self._vendor.components)
        indicator = payload.text(summary, "status", "indicator", limit=40)
        facts: dict[str, Json] = {
            "indicator": indicator,
            "description": payload.text(summary, "status", "description"),
            "components": {name: said for name, said in components.items()},
            "incidents": [dict(incident) for incident in incidents],
        }
        state, words = _judge(indicator, components, incidents, narrowed=bool(self._vendor.components))
        observation = self.answered(state, words, facts=facts)
        return replace(observation, events=self._events(incidents))

    def _events(self, incidents: Sequence[Mapping[str, Json]]) -> tuple[Event, ...]:
        """An event for each incident that is new to us, and for each that is over."""
        now_ms = time.time_ns() // 1_000_000
        now = {str(incident["id"]): incident for incident in incidents}
        begun = [self._event(now[name], now_ms) for name in now.keys() - self._open.keys()]
        ended = [self._end(name, now_ms) for name in self._open.keys() - now.keys()]
        self._open = {name: str(incident["name"]) for name, incident in now.items()}
        return (*begun, *ended)

    def _event(self, incident: Mapping[str, Json], now_ms: int) -> Event:
        since_ms = payload.time_ms(incident, "since_ms") or now_ms
        return Event(
            at_ms=min(since_ms, now_ms),
            kind="vendor",
            subject=self.target,
            text=f"{clean(self._vendor.name, 60)}: {incident['name']} ({incident['impact']})",
            state=State.DEGRADED,
            key=f"vendor/{clean(self._vendor.name, 60)}/{incident['id']}",
            data=dict(incident),
        )

    def _end(self, name: str, now_ms: int) -> Event:
        return Event(
            at_ms=now_ms,
            kind="vendor",
            subject=self.target,
            text=f"{clean(self._vendor.name, 60)}: {self._open[name]} is over",
            state=State.HEALTHY,
            key=f"vendor/{clean(self._vendor.name, 60)}/{name}/over",
        )


def build(environment: Environment, clients: Clients) -> list[Source]:
    """Every vendor's page that is configured."""
    interval_s = environment.intervals.vendors_s
    return [VendorSource(vendor, clients.of(vendor.url), interval_s=interval_s) for vendor in environment.vendors]


def _components(summary: Json, wanted: Sequence[str]) -> dict[str, str]:
    """Status by name of the components that concern us: those named, or all that are no groups."""
    names = {name.casefold() for name in wanted}
    found: dict[str, str] = {}
    for item in list(payload.items(summary, "components"))[:COMPONENTS_LIMIT]:
        name, said = payload.text(item, "name", limit=80), payload.text(item, "status", limit=40)
        concerns = name is not None and (name.casefold() in names if names else payload.flag(item, "group") is not True)
        if name is not None and said is not None and concerns:
            found[name] = said
    return found


def _incidents(summary: Json, wanted: Sequence[str]) -> list[dict[str, Json]]:
    """Open incidents that concern us; one that names no components may, so it counts."""
    names = {name.casefold() for name in wanted}
    found: list[dict[str, Json]] = []
    for item in list(payload.items(summary, "incidents"))[:INCIDENTS_LIMIT]:
        name = payload.text(item, "id", limit=80)
        affected = {said.casefold() for one in payload.items(item, "components") if (said := payload.text(one, "name"))}
        over = payload.text(item, "status", limit=40) in ("resolved", "postmortem")
        if name is None or over or (names and affected and not names & affected):
            continue
        found.append(
            {
                "id": name,
                "name": payload.text(item, "name", limit=120) or "an incident",
                "impact": payload.text(item, "impact", limit=40) or "unknown",
                "since_ms": payload.time_ms(item, "started_at") or payload.time_ms(item, "created_at"),
            }
        )
    return found


def _judge(
    indicator: str | None, components: Mapping[str, str], incidents: Sequence[Mapping[str, Json]], *, narrowed: bool
) -> tuple[State, str]:
    """The worst of what concerns us; the page's own indicator counts when no components were named."""
    states = [_COMPONENTS.get(said, State.UNKNOWN) for said in components.values()]
    states += [_INDICATORS.get(str(incident["impact"]), State.DEGRADED) for incident in incidents]
    if not narrowed:
        states.append(_INDICATORS.get(indicator or "", State.UNKNOWN))
    elif not components:
        return State.UNKNOWN, "the page lists none of the components named in the settings"
    state = worst(states)
    ill = [f"{name} {said.replace('_', ' ')}" for name, said in components.items() if said != "operational"]
    told = [str(incident["name"]) for incident in incidents] or ill
    return state, "; ".join(told[:3]) if told else f"reports {indicator or 'nothing'}"
