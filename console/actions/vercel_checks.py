"""The preflight of everything that changes what serves production. Pure: facts in, lines with their evidence out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from console.actions import vercel_choice
from console.model import payload
from console.model.actions import Check, CheckResult
from console.model.observation import Json
from console.model.times import date_time
from console.model.vercel_project import Deployment, Job, Project, Variable, why_not
from console.model.words import listed, milliseconds, percent, seconds

API, RECORDS, STORE = "vercel api", "records", "store"
ROLLING_OVER = frozenset({"complete", "aborted"})
PINNED, FREEZE = "pinned", "freeze"
CLOCKS_APART_MS = 300_000
"""Between Vercel and this host."""
NAMES = 4
NOT_KNOWN_STATE = "Vercel tells its state in a word that is not known here"
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
        self.observed = payload.mapping(facts, "observed")
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
    unsure = _rolling(facts, rolling)
    if unsure:
        return (facts.doubt("rolling", unsure),)
    words = "no rollback, promotion or rolling release is in progress"
    if job is not None and "unknown" in (job.status, job.type) and _recent(facts, job):
        return (facts.doubt("job", "the last request to move production stands in a way not known here"),)
    return (facts.well("job", words),)


def _rolling(facts: Facts, comes_of_it: str) -> str:
    """What is to be known of a rolling release; empty: none is in progress. Only what is over is known to be over."""
    trouble = payload.text(facts.raw, "rolling", "trouble")
    if trouble:
        return f"whether a rolling release is in progress is not known: {trouble}"
    found = payload.mapping(facts.raw, "rolling", "found")
    state = payload.text(found, "state") if found else None
    if not found or state in ROLLING_OVER:
        return ""
    if state == "active":
        return f"{_rolling_words(facts, found)}: {comes_of_it}"
    canary = _named(facts, payload.text(found, "canary"))
    return f"a rolling release of {canary} stands in a way not known here, and may be in progress: {comes_of_it}"


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
    """That production can go back to it, and how it did when it ran: what nobody observed is not known to be well."""
    why = why_not(target, facts.project.production.id if facts.project.production else None)
    if why:
        return facts.refuse("target", f"{target.called}: {why}")
    words = f"{target.called} {_ran(facts, target)}{did(facts, target)}"
    doubts = [against] if (against := speaks_against(facts, target)) else []
    if target.candidate is None:
        doubts.append("whether Vercel takes it for a rollback is not told")
    if target.state != "ready":
        doubts.append(NOT_KNOWN_STATE)
    if doubts or not _was_seen(facts, target) or is_bad(facts, target):
        return facts.doubt("target", "; ".join((words, *doubts)))
    return facts.well("target", words)


def passed_over(facts: Facts) -> tuple[Check, ...]:
    """What served after the default target and is not gone back to, with the reason."""
    told = payload.items(facts.raw, "passed")
    return tuple(facts.doubt("passed", f"passed over: {words}") for each in told if (words := payload.text(each)))


def _ran(facts: Facts, target: Deployment) -> str:
    """For how long it served in all, as was observed; else as far as Vercel's list tells."""
    served_ms = payload.number(facts.raw, "observed", "served", target.id, "served_ms")
    if served_ms is not None:
        return f"ran in production {seconds(served_ms / 1000)}"
    began_ms = target.live_ms or target.created_ms
    if began_ms is None:
        return "served production, when is not told"
    after = [one.live_ms for one in facts.listed if one.live_ms is not None and one.live_ms > began_ms]
    if target.live_ms is None or not after:
        return f"served production after {date_time(began_ms)} UTC"
    return f"ran in production {seconds((min(after) - began_ms) / 1000)}"


def did(facts: Facts, target: Deployment) -> str:
    """How it did when it ran, as the end of a sentence."""
    p95, share = _figures(facts, target)
    parts = [f"p95 {milliseconds(p95)}"] if p95 is not None else []
    parts += [f"errors {percent(share)}"] if share is not None else []
    words = ", " + ", ".join(parts) if parts else ""
    amiss = payload.text(facts.raw, "observed", "served", target.id, "amiss")
    if amiss:
        return f"{words}; held against it: {amiss}"
    return words or "; how it did was not observed"


def amiss(facts: Facts, target: Deployment, said: str) -> str:
    """What the store holds against it, as the end of a sentence that has not said so already."""
    held = payload.text(facts.observed, "served", target.id, "amiss")
    return f"; held against it: {held}" if held and held not in said else ""


def _figures(facts: Facts, target: Deployment) -> tuple[float | None, float | None]:
    p95, share = (payload.number(facts.raw, "observed", "effects", target.id, key) for key in ("p95", "errors"))
    return p95, share


def _was_seen(facts: Facts, target: Deployment) -> bool:
    return any(figure is not None for figure in _figures(facts, target))


def is_bad(facts: Facts, target: Deployment) -> bool:
    """Whether errors or what the store holds against it speak against it."""
    share = _figures(facts, target)[1]
    amiss = payload.text(facts.raw, "observed", "served", target.id, "amiss")
    return bool(amiss) or (share or 0.0) >= vercel_choice.BAD_ERRORS


def speaks_against(facts: Facts, target: Deployment) -> str:
    """Why a rollback passes it over where it is not named, if its line does not say so already."""
    why = vercel_choice.speaks_against(target, facts.project, facts.listed, facts.observed)
    return "" if why == payload.text(facts.observed, "served", target.id, "amiss") else why


def migrations(facts: Facts, target: Deployment) -> Check:
    """What was applied to the database since the target was built: its code is of that schema, however often a domain
    was assigned to it since. Its SQL is not read: nobody says if it only adds."""
    observed = facts.observed
    now, then = payload.at(observed, "migration"), facts.raw.get("migration_then")
    since_ms = built_ms(target)
    events = [
        row for row in payload.items(observed, "migrations") if (payload.number(row, "at_ms") or 0) > (since_ms or 0)
    ]
    if events:
        said = listed([payload.text(row, "text") or "" for row in events], 2)
        return facts.doubt("migrations", f"{said} after {target.short} was built; {_SQL_UNREAD}", STORE)
    if now is None:
        words = "which migrations are applied was not observed: whether the schema still fits is not known"
        return facts.doubt("migrations", words, STORE)
    if then is None:
        words = f"what was applied when {target.short} was built was not observed; now the newest is {now or 'none'}"
        return facts.doubt("migrations", words, STORE)
    if now != then:
        words = f"the newest migration was {then or 'none'} when {target.short} was built and is {now or 'none'} now"
        return facts.doubt("migrations", f"{words}; {_SQL_UNREAD}", STORE)
    return facts.well(
        "migrations", f"no migration since {target.short} was built; the newest is {now or 'none'}", STORE
    )


def built_ms(target: Deployment) -> int | None:
    """When its code was made, ms since epoch; where that is not told, the first that is known of it."""
    return target.created_ms or target.live_ms


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
        found.append(facts.doubt("pinned", f"pushes do not go live by themselves, {by_whom(facts)}"))
    elif auto is None:
        found.append(facts.doubt("pinned", "whether pushes go live by themselves is not told to this token"))
    return tuple(found)


def by_whom(facts: Facts) -> str:
    """Whose choice it is that pushes do not go live, where the ledger holds no pin. A rollback of ours whose run was
    closed is in the journal; what our records would say is not known while they cannot be read."""
    job, serving = facts.project.job, facts.project.production
    is_rollback = job is not None and job.type == "rollback" and (serving is None or job.target == serving.id)
    if is_rollback and (run := _asked_by(facts, job)):
        return f"by a rollback of ours, though the ledger does not hold it ({run})"
    if payload.at(facts.observed, "recorded") is not True:
        words = "by whom is not known: our own records cannot be read"
        return f"{words}; Vercel tells of a rollback{_said_by(facts)}" if is_rollback else words
    if is_rollback:
        return f"by a rollback{_said_by(facts)} that our records do not hold"
    return "by somebody's choice"


def _said_by(facts: Facts) -> str:
    return f" said to be by {facts.project.rolled_back_by}" if facts.project.rolled_back_by else ""


def _asked_by(facts: Facts, job: Job | None) -> str:
    """Who asked, if the job is one of a run of ours; empty: it is not."""
    for run in payload.items(facts.observed, "rollbacks") if job is not None and job.target else ():
        asked_ms = (job.requested_ms if job else None) or 0
        is_ours = (payload.text(run, "target") or "").endswith(f"({job.target if job else ''})")
        if is_ours and asked_ms >= (payload.time_ms(run, "at_ms") or 0) - CLOCKS_APART_MS:
            return payload.text(run, "operator") or ""
    return ""


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
