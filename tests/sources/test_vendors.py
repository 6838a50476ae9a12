"""Vendors' status pages: only what concerns us, and an event when an incident begins and ends."""

from __future__ import annotations

from typing import Any

import pytest

from console.model.configuration import Environment, Vendor
from console.model.observation import ErrorKind, Json, Observation, Outcome
from console.model.states import State
from console.sources import vendors
from console.sources.http import Clients
from tests.sources.loopback import Handler, Loopback, Seen, Writer, answering, cases, replay, serving

WELL, MAJOR = (replay(case) for case in cases("statuspage_public_summary"))


async def polled(
    *handlers: Handler, components: tuple[str, ...] = (), path: str = ""
) -> tuple[list[Observation], Loopback]:
    waiting = list(handlers)

    async def handle(seen: Seen, writer: Writer) -> None:
        await waiting.pop(0)(seen, writer)

    async with serving(handle) as server:
        vendor = Vendor(name="acme", url=server.url(path), components=components)
        (source,) = vendors.build(Environment(name="test", url=server.url(), vendors=(vendor,)), Clients())
        found = [await source.observe() for _ in handlers]
        await source.close()
    return found, server


def summary(indicator: str = "none", incidents: object = (), **components: str) -> Handler:
    listed = [{"name": name, "status": said} for name, said in components.items()]
    body = {"status": {"indicator": indicator, "description": "d"}, "components": listed, "incidents": incidents}
    return answering(200, body)


async def test_a_page_that_reports_nothing() -> None:
    (seen,), server = await polled(WELL)
    assert (seen.target, seen.outcome, seen.state, seen.words) == (
        "vendor:acme",
        Outcome.ANSWERED,
        State.HEALTHY,
        "reports none",
    )
    assert server.requests[0].path == "/api/v2/summary.json"
    assert seen.facts["indicator"] == "none"


async def test_an_incident_begins_and_ends_as_one_event_each() -> None:
    found, _ = await polled(WELL, MAJOR, MAJOR, WELL)
    assert [seen.state for seen in found] == [State.HEALTHY, State.UNHEALTHY, State.UNHEALTHY, State.HEALTHY]
    assert found[1].words == "Build failures"
    incidents: list[Json] = [{"id": "i1", "name": "Build failures", "impact": "major", "since_ms": 1795167600000}]
    assert found[1].facts["incidents"] == incidents
    assert [(event.kind, event.text, event.key) for seen in found for event in seen.events] == [
        ("vendor", "acme: Build failures (major)", "vendor/acme/i1"),
        ("vendor", "acme: Build failures is over", "vendor/acme/i1/over"),
    ]


@pytest.mark.parametrize(
    ("handler", "components", "state"),
    [
        (summary("major", Actions="major_outage", API="operational"), ("API",), State.HEALTHY),
        (summary("minor", Actions="operational", API="partial_outage"), ("api",), State.UNHEALTHY),
        (summary("none", API="degraded_performance"), (), State.DEGRADED),
        (summary("none", API="under_maintenance"), ("API",), State.DEGRADED),
        (summary("none", API="haunted"), (), State.UNKNOWN),
        (summary("none", API="operational"), ("Nothing of that name",), State.UNKNOWN),
        (summary("apocalyptic"), (), State.UNKNOWN),
        (summary("maintenance"), (), State.DEGRADED),
    ],
)
async def test_only_what_concerns_us_counts(handler: Handler, components: tuple[str, ...], state: State) -> None:
    (seen,), _ = await polled(handler, components=components)
    assert seen.state is state


def incident(name: str, *affected: str, status: str = "investigating", impact: str = "minor") -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "status": status,
        "impact": impact,
        "components": [{"name": one} for one in affected],
    }


async def test_incidents_of_other_components_are_left_out() -> None:
    incidents = [
        incident("ours", "API"),
        incident("theirs", "Pages"),
        incident("vague"),
        incident("old", "API", status="resolved"),
    ]
    (seen,), _ = await polled(summary("minor", incidents, API="operational", Pages="major_outage"), components=("API",))
    listed = seen.facts["incidents"]
    assert isinstance(listed, list)
    assert [one["name"] for one in listed if isinstance(one, dict)] == ["ours", "vague"]
    assert (seen.state, seen.words) == (State.DEGRADED, "ours; vague")


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (answering(200, b"<html>moved", {"content-type": "text/html"}), ErrorKind.BODY),
        (answering(503, {}), ErrorKind.STATUS),
        (answering(200, b"x" * 3_000_000), ErrorKind.TOO_LARGE),
    ],
)
async def test_a_page_that_cannot_be_read_is_no_finding_about_the_vendor(handler: Handler, kind: ErrorKind) -> None:
    (seen,), _ = await polled(handler)
    assert (seen.outcome, seen.state, seen.error_kind) == (Outcome.FAILED, State.UNKNOWN, kind)


@pytest.mark.parametrize(
    "body", [[], {}, {"components": {}}, {"components": [1, None, {"name": []}], "incidents": ["x"]}]
)
async def test_wrong_types_are_unknown(body: object) -> None:
    (seen,), _ = await polled(answering(200, body))
    assert (seen.outcome, seen.state) == (Outcome.ANSWERED, State.UNKNOWN)


async def test_a_full_address_is_taken_as_it_is() -> None:
    _, server = await polled(WELL, path="/status/summary.json")
    assert server.requests[0].path == "/status/summary.json"
