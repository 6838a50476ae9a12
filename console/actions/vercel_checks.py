"""The preflight of everything that changes what serves production. Pure: facts in, lines with their evidence out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from console.model import payload
from console.model.actions import Check, CheckResult
from console.model.observation import Json
from console.model.times import date_time
from console.model.vercel_project import Deployment, Job, Project, Variable, why_not
from console.model.words import listed, milliseconds, percent, seconds

API, RECORDS, STORE = "vercel api", "records", "store"
PINNED, FREEZE = "pinned", "freeze"
NAMES = 4
_ADDRESS = re.compile(r"[0-9.]+|[0-9a-f:]+")
"""A host by its number, which is nobody's domain."""


class Facts:
    """The facts of `vercel_facts.read`, typed again."""

    def __init__(self, facts: Mapping[str, Json]) -> None:
        self.raw = facts
        self.project = Project.of(facts["project"])
        self.listed = _deployments(facts["deployments"])
        self.wanted = Deployment.of(facts["wanted"])
        self.now_ms = int(payload.number(facts, "now_ms") or 0)
        self.holdings: Sequence[Json] = payload.items(facts, "observed", "holdings")

    @property
    def live(self) -> Deployment | None:
        """What serves production, as the list or the project tells it."""
        production = self.project.production
        if production is None:
            return None
        return next((one for one in self.listed if one.id == production.id), production)

    @property
    def ci(self) -> Mapping[str, Json]:
        """What `hold_ci.facts` found; empty: no CI is configured."""
        return payload.mapping(self.raw, "ci")

    def holding(self, kind: str, *subjects: str | None) -> Mapping[str, Json] | None:
        """The holding of that kind in force, of any of these subjects."""
        for row in self.holdings:
            ends_ms = payload.number(row, "expires_ms")
            is_over = ends_ms is not None and ends_ms <= self.now_ms
            if payload.text(row, "kind") == kind and payload.text(row, "subject") in subjects and not is_over:
                return payload.mapping(row)
        return None

    def check(self, key: str, result: CheckResult, words: str, source: str = API) -> Check:
        """One line, looked at when the facts were."""
        return Check(key=key, result=result, words=words, source=source, at_ms=self.now_ms)

    def well(self, key: str, words: str, source: str = API) -> Check:
        """It is as it should be."""
        return self.check(key, CheckResult.PASS, words, source)

    def doubt(self, key: str, words: str, source: str = API) -> Check:
        """It is a warning, or nobody knows."""
        return self.check(key, CheckResult.WARN, words, source)

    def refuse(self, key: str, words: str, source: str = API) -> Check:
        """It forbids the action."""
        return self.check(key, CheckResult.FAIL, words, source)


def _deployments(told: Json) -> tuple[Deployment, ...]:
    return tuple(one for item in (told if isinstance(told, list) else ()) if (one := Deployment.of(item)))


def identity(facts: Facts, configured: str, url: str) -> tuple[Check, ...]:
    """That the token's project is the configured one, and that it serves what is watched."""
    project = facts.project
    shown = f"{project.name or 'without a name'} ({project.id or 'id not told'})"
    if configured not in (project.id, project.name):
        return (facts.refuse("project", f"the API tells of project {shown}, configured is {configured}"),)
    host, served = urlsplit(url).hostname or "", project.production.aliases if project.production else ()
    if served and host not in served and not _ADDRESS.fullmatch(host):
        words = f"project {shown}; {host} is none of production's domains that it tells: {listed(served, NAMES)}"
        return (facts.doubt("project", words),)
    return (
        facts.well("project", f"project {shown}" + (f" serves {host}" if host in served else " is the configured one")),
    )


def jobs(facts: Facts, rolling: str) -> tuple[Check, ...]:
    """That no other request to move production is at work. `rolling`: what comes of a rolling release in progress."""
    job = facts.project.job
    if job is not None and job.running:
        return (facts.refuse("job", f"a {job.type} to {_named(facts, job.target)} is {job.status}: Vercel takes one"),)
    found = payload.mapping(facts.raw, "rolling", "found")
    if found and payload.text(found, "state") == "active":
        return (facts.doubt("rolling", f"{_rolling_words(facts, found)}: {rolling}"),)
    trouble = payload.text(facts.raw, "rolling", "trouble")
    if trouble and facts.project.rolling:
        return (facts.doubt("rolling", f"whether a rolling release is in progress is not known: {trouble}"),)
    words = "no rollback, promotion or rolling release is in progress"
    if job is not None and "unknown" in (job.status, job.type) and _recent(facts, job):
        return (facts.doubt("job", "the last request to move production stands in a way not known here"),)
    return (facts.well("job", words),)


def _recent(facts: Facts, job: Job) -> bool:
    return facts.now_ms - (job.requested_ms or 0) < 600_000


def _rolling_words(facts: Facts, found: Mapping[str, Json]) -> str:
    share = payload.number(found, "percentage")
    canary = _named(facts, payload.text(found, "canary"))
    return f"a rolling release of {canary} is in progress" + (f" at {share:.0f} %" if share is not None else "")


def building(facts: Facts) -> tuple[Check, ...]:
    """Production builds at Vercel that would go live over this."""
    found = [one for one in facts.listed if one.building]
    if not found:
        return ()
    named = listed([f"{one.called} ({one.state})" for one in found], 2)
    ends = "would go live over this" if facts.project.auto_assign is not False else "does not go live by itself"
    return (facts.doubt("building", f"being built for production: {named}; it {ends}"),)


def candidate(facts: Facts, target: Deployment) -> Check:
    """That production can go back to it, and how it did when it ran."""
    why = why_not(target, facts.project.production.id if facts.project.production else None)
    if why:
        return facts.refuse("target", f"{target.called}: {why}")
    words = f"{target.called} {_ran(facts, target)}{did(facts, target)}"
    if target.candidate is None:
        return facts.doubt("target", f"{words}; whether Vercel takes it for a rollback is not told")
    return facts.well("target", words)


def _ran(facts: Facts, target: Deployment) -> str:
    """For how long it served, as far as the list tells."""
    began_ms = target.live_ms or target.created_ms
    if began_ms is None:
        return "served production, when is not told"
    after = [one.live_ms for one in facts.listed if one.live_ms is not None and one.live_ms > began_ms]
    if target.live_ms is None or not after:
        return f"served production after {date_time(began_ms)} UTC"
    return f"ran in production {seconds((min(after) - began_ms) / 1000)}"


def did(facts: Facts, target: Deployment) -> str:
    """How it did when it ran, as the end of a sentence."""
    p95, errors = (payload.number(facts.raw, "observed", "effects", target.id, key) for key in ("p95", "errors"))
    parts = [f"p95 {milliseconds(p95)}"] if p95 is not None else []
    parts += [f"errors {percent(errors)}"] if errors is not None else []
    return ", " + ", ".join(parts) if parts else "; nothing was observed of it"


def left(facts: Facts, target: Deployment) -> str:
    """Why a rollback left the target, and how it did then; empty: none did that is known of."""
    known = payload.text(facts.raw, "observed", "left_why", target.id)
    job = facts.project.job
    if known is None and job is not None and (job.type, job.status, job.source) == ("rollback", "succeeded", target.id):
        known = "the last rollback at Vercel left it"
    return f"{known}{did(facts, target)}" if known else ""


def errors(facts: Facts, target: Deployment) -> float | None:
    """The share of errors when it ran; None: not observed."""
    return payload.number(facts.raw, "observed", "effects", target.id, "errors")


def migrations(facts: Facts, target: Deployment) -> Check:
    """What was applied to the database since the target went live. Its SQL is not read: nobody says if it only adds."""
    observed = payload.mapping(facts.raw, "observed")
    now, then = payload.at(observed, "migration"), facts.raw.get("migration_then")
    since_ms = target.live_ms or target.created_ms
    events = [
        row for row in payload.items(observed, "migrations") if (payload.number(row, "at_ms") or 0) > (since_ms or 0)
    ]
    if events:
        said = listed([payload.text(row, "text") or "" for row in events], 2)
        return facts.doubt("migrations", f"{said} after {target.short} went live; {_SQL_UNREAD}", STORE)
    if now is None:
        words = "which migrations are applied was not observed: whether the schema still fits is not known"
        return facts.doubt("migrations", words, STORE)
    if then is None:
        words = f"what was applied when {target.short} went live was not observed; now the newest is {now or 'none'}"
        return facts.doubt("migrations", words, STORE)
    if now != then:
        words = f"the newest migration was {then or 'none'} when {target.short} went live and is {now or 'none'} now"
        return facts.doubt("migrations", f"{words}; {_SQL_UNREAD}", STORE)
    return facts.well(
        "migrations", f"no migration since {target.short} went live; the newest is {now or 'none'}", STORE
    )


_SQL_UNREAD = "whether the old code fits the schema is not known without its SQL"


def variables(facts: Facts, target: Deployment) -> Check:
    """Environment variables that changed after the target was built: it has the old ones."""
    trouble = payload.text(facts.raw, "variables", "trouble")
    if trouble:
        return facts.doubt("variables", f"whether environment variables changed since is not known: {trouble}")
    built_ms = target.created_ms
    if built_ms is None:
        return facts.doubt("variables", f"when {target.short} was built is not told: nor which variables it has")
    told = payload.items(facts.raw, "variables", "found")
    changed = [one for one in map(_variable, told) if (one.changed_ms or 0) > built_ms and "production" in one.targets]
    if not changed:
        return facts.well("variables", f"no environment variable of production changed since {target.short} was built")
    names = listed([one.key for one in changed], NAMES)
    secret = [one.key for one in changed if one.secret]
    more = f"; rotated secrets may be among them: {listed(secret, NAMES)}" if secret else ""
    return facts.doubt("variables", f"changed since {target.short} was built, which keeps the old: {names}{more}")


def _variable(told: Json) -> Variable:
    return Variable(
        key=payload.text(told, "key") or "",
        type=payload.text(told, "type") or "",
        targets=tuple(str(target) for target in (payload.at(told, "targets") or ())),  # type: ignore[union-attr]
        changed_ms=payload.time_ms(told, "changed_ms"),
    )


def assignment(facts: Facts) -> tuple[Check, ...]:
    """Whether production is pinned, by whom, and whether it is paused."""
    found = (
        [facts.doubt("paused", "the project is paused: visitors get 503 whatever serves")]
        if facts.project.paused
        else []
    )
    auto, held = facts.project.auto_assign, facts.holding(PINNED, *_subjects(facts.project))
    if auto is False and held is not None:
        found.append(facts.doubt("pinned", f"already {held.get('text')} ({held.get('owner')})", RECORDS))
    elif auto is False:
        why = f", said to be a rollback by {facts.project.rolled_back_by}" if facts.project.rolled_back_by else ""
        found.append(facts.doubt("pinned", f"pushes do not go live by themselves, by somebody's choice{why}"))
    elif auto is None:
        found.append(facts.doubt("pinned", "whether pushes go live by themselves is not told to this token"))
    return tuple(found)


def ci(facts: Facts) -> tuple[Check, ...]:
    """Runs of the CI in progress."""
    if not facts.ci:
        return ()
    from console.actions import hold_ci

    return hold_ci.checks(facts.ci)


def records(facts: Facts) -> tuple[Check, ...]:
    """What of our own store could not be read."""
    trouble = [str(words) for words in payload.items(facts.raw, "observed", "trouble")]
    return (facts.doubt("records", f"not read: {listed(trouble, 2)}", STORE),) if trouble else ()


def freeze(facts: Facts) -> Mapping[str, Json] | None:
    """The deploy freeze in force; one that holds a single run of the CI is none."""
    return facts.holding(FREEZE, *{payload.text(row, "subject") for row in facts.holdings if not _of_one_run(row)})


def _of_one_run(row: Json) -> bool:
    return " run " in (payload.text(row, "subject") or "")


def _subjects(project: Project) -> tuple[str | None, ...]:
    return project.id, project.name


def _named(facts: Facts, deployment: str | None) -> str:
    """A deployment by its commit, where the list tells it."""
    known: Iterable[Deployment] = (one for one in facts.listed if one.id == deployment)
    return next((one.short for one in known), deployment or "a deployment not told")
