"""The past as a collector would have judged it: stretches of time in which nothing changed, each with its judgement."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console.demo import business
from console.demo.configuration import ROUTES
from console.demo.incidents import Incident, Symptom
from console.demo.world import Deployment, Migration, World
from console.model.judgement import ComponentJudgement, Judgement
from console.model.observation import Event, Json, Observation, Origin, Outcome
from console.model.states import State
from console.model.views import Reason, TargetRow, Verdict

INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From one change to the next."""

    began_ms: int
    ended_ms: int
    serving: Deployment
    incident: Incident | None
    migration: Migration | None
    """The newest one at that time."""

    def symptom(self, component: str) -> Symptom | None:
        """What is wrong with a component."""
        found = self.incident.symptoms if self.incident else ()
        return next((one for one in found if one.component == component), None)


@dataclass(frozen=True, slots=True)
class _Component:
    key: str
    name: str
    origin: Origin
    figure: str
    explanation: str
    targets: tuple[str, ...]


def stretches(world: World, incidents: tuple[Incident, ...]) -> Iterator[Stretch]:
    """All of the observed time, oldest first; the gap is left out."""
    marks = {world.began_ms, world.now_ms, *world.gap}
    marks |= {one.live_ms for one in world.deployments if one.live_ms is not None}
    marks |= {one.at_ms for one in world.migrations}
    marks |= {moment for one in incidents for moment in (one.began_ms, one.ended_ms)}
    ordered = sorted(mark for mark in marks if world.began_ms <= mark <= world.now_ms)
    for began, ended in itertools.pairwise(ordered):
        if not world.gap[0] <= began < world.gap[1]:
            incident = next((one for one in incidents if one.began_ms <= began < one.ended_ms), None)
            migration = next((one for one in reversed(world.migrations) if one.at_ms <= began), None)
            yield Stretch(
                began_ms=began, ended_ms=ended, serving=world.serving_at(began), incident=incident, migration=migration
            )


def judgement(stretch: Stretch, ref: str, certificate: str) -> Judgement:
    """What was concluded in a stretch. `certificate`: the target of the demo's TLS listener."""
    return Judgement(
        at_ms=stretch.began_ms,
        verdict=_verdict(stretch),
        components=tuple(_judged(stretch, one) for one in _components(stretch.serving, certificate)),
        targets=_targets(stretch),
        identity=ref,
    )


def observations(stretch: Stretch, certificate: str) -> Iterator[Observation]:
    """What every target gave in a stretch."""
    for component in _components(stretch.serving, certificate):
        symptom = stretch.symptom(component.key)
        for target in component.targets:
            ill = symptom if symptom and target in symptom.targets else None
            yield _observation(target, component, ill, stretch)


def events(world: World, incidents: tuple[Incident, ...]) -> Iterator[Event]:
    """Deployments, migrations and what happened around the nights. Keys as the live sources give them."""
    for one in world.deployments:
        if one.live_ms is not None and one.live_ms >= world.began_ms:
            yield _live(one, one.live_ms)
    for migration in world.migrations:
        if migration.at_ms >= world.began_ms:
            text = f"migration {migration.number:03d} {migration.name} by CI"
            yield Event(at_ms=migration.at_ms, kind="migration", subject="postgres.catalogue", text=text)
    for happening in (each for incident in incidents for each in incident.happenings):
        yield Event(at_ms=happening.at_ms, kind=happening.kind, subject=happening.subject, text=happening.text)


def _live(one: Deployment, live_ms: int) -> Event:
    data: dict[str, Json] = {
        "id": one.id, "short": one.short, "commit": one.sha, "message": one.message, "author": one.login,
        "created_ms": one.created_ms,
    }  # fmt: skip
    return Event(
        at_ms=live_ms, kind="deployment", subject="vercel", text=f'{one.short} "{one.message}" live ({one.login})',
        key=f"deployment/{one.id}/live/{live_ms}", data=data,
    )  # fmt: skip


def _components(serving: Deployment, certificate: str) -> tuple[_Component, ...]:
    routes = tuple(f"route:{path}" for path in ROUTES)
    supabase = ("supabase.gateway", "supabase.auth", "supabase.pooler", "supabase.project", "vendor:supabase")
    flaps = "The health check is answered: passes: database; memory check flaps: no measure."
    return (
        _Component("application", "application", Origin.PROBE, "answers in 38 ms", flaps, ("health", "ping")),
        _Component("routes", f"routes {len(ROUTES)}/{len(ROUTES)}", Origin.PROBE, "p95 71 ms", "Every route is good.",
                   routes),
        _Component("users", "users", Origin.USERS, "p95 82 ms", "The users' figures meet their targets.", ("metrics",)),
        _Component("database", "database", Origin.SQL, "9/60 connections", "Nobody waits for a lock.",
                   ("postgres.activity", "postgres.canary", "postgres.catalogue", *business.targets("sql:"))),
        _Component("vercel", "vercel", Origin.API, f"live {serving.short}", "Production is served.",
                   ("vercel", "vendor:vercel")),
        _Component("supabase", "supabase", Origin.PROBE, "gateway 34 ms", "Every part is good.", supabase),
        _Component("certificate", "certificate", Origin.TLS, "61 of 90 days left", "It is trusted and lasts.",
                   (certificate,)),
        _Component("bastion", "bastion", Origin.HOST, "egress ok", "An outside target answers.",
                   ("egress", "host", *business.targets("prometheus:"))),
    )  # fmt: skip


def _judged(stretch: Stretch, component: _Component) -> ComponentJudgement:
    ill = stretch.symptom(component.key)
    return ComponentJudgement(
        key=component.key,
        name="routes 5/6" if ill and component.key == "routes" else component.name,
        state=ill.state if ill else State.HEALTHY,
        figure=ill.figure if ill else component.figure,
        origin=ill.origin if ill else component.origin,
        explanation=(f"{ill.text[0].upper()}{ill.text[1:]}.",) if ill else (component.explanation,),
        targets=component.targets,
        interval_s=INTERVAL_S,
    )


def _verdict(stretch: Stretch) -> Verdict:
    incident = stretch.incident
    if incident is None:
        return Verdict(state=State.HEALTHY, reasons=(), whose="", whose_words="vendors: none reporting")
    reasons = tuple(_reason(incident, index, one) for index, one in enumerate(incident.symptoms))
    return Verdict(state=incident.worst, reasons=reasons, whose=incident.whose, whose_words=incident.whose_words)


def _reason(incident: Incident, index: int, symptom: Symptom) -> Reason:
    return Reason(
        key=f"{symptom.component}.{symptom.kind}",
        state=symptom.state,
        component=symptom.component,
        text=symptom.text,
        since_ms=incident.began_ms,
        origin=symptom.origin,
        cause=incident.cause if index == 0 else None,
        incident=symptom.kind,
    )


def _targets(stretch: Stretch) -> tuple[TargetRow, ...]:
    slower = stretch.incident.slower if stretch.incident else 1.0
    errors = stretch.incident.error_share if stretch.incident else 0.0
    return (
        _row("p95", round(82.0 * slower), "ms", 200.0, Origin.USERS),
        _row("errors", errors, "share", 0.01, Origin.USERS),
        _row("memory", 0.12, "share", 0.80, Origin.USERS),
        _row("db query", 2.4, "ms", 100.0, Origin.SQL),
    )


def _row(name: str, value: float, unit: str, limit: float, origin: Origin) -> TargetRow:
    state = State.HEALTHY if value <= limit else State.DEGRADED
    return TargetRow(
        name=name, value=value, unit=unit, limit=limit, origin=origin, state=state, samples=2_400, window_s=300
    )


def _observation(target: str, component: _Component, ill: Symptom | None, stretch: Stretch) -> Observation:
    return Observation(
        target=target,
        outcome=Outcome.ANSWERED,
        state=ill.state if ill else State.HEALTHY,
        words=ill.text if ill else _words(target, stretch.serving),
        origin=Origin.PROMETHEUS if target.startswith("prometheus:") else component.origin,
        facts=_facts(target, ill, stretch),
    )


def _words(target: str, serving: Deployment) -> str:
    if target == "vercel":
        return f'live {serving.short} "{serving.message}"'
    if target.startswith("route:"):
        return "200"
    if target.startswith(("sql:", "prometheus:")):
        return "gives one number" if target.startswith("sql:") else "gives one series"
    return "reports none" if target.startswith("vendor:") else "answers"


def _facts(target: str, ill: Symptom | None, stretch: Stretch) -> Mapping[str, Json]:
    serving, migration = stretch.serving, stretch.migration
    if target == "postgres.catalogue" and migration is not None:
        return {"latest_migration": {"version": migration.version, "name": migration.name}}
    if target == "health":
        database: dict[str, Json] = {"status": "fail" if ill else "pass", "message": ill.text if ill else None}
        return {"checks": {"database": database}, "claimed": "healthy", "version": serving.version}
    if target == "vercel":
        return {"production": {"id": serving.id, "short": serving.short, "message": serving.message}}
    return {}
