"""Deploy a ref to staging or production (G2): Vercel builds it, and for production it is followed until it serves."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import ClassVar

from console.actions import deploy_ref, in_progress, vercel_build, vercel_checks, vercel_facts, vercel_plan
from console.actions.base import CHANGES_DEPLOYMENT, Context, done, failed, text_of, unknown
from console.actions.outside import asked
from console.actions.vercel_api import VercelApi
from console.actions.vercel_checks import RECORDS, STORE, Facts
from console.actions.vercel_facts import api_of
from console.model import payload
from console.model.actions import ActionRequest, Check, Plan, Risk, Step, StepKind, StepResult
from console.model.observation import Json
from console.model.ports import Refused
from console.model.text import clean

TARGETS = ("staging", "production")
LOOK = "look"
WAITS = "a build for production waits behind it"
_REF = re.compile(r"[A-Za-z0-9_@#+=%,./-]{1,200}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class Deploy:
    """`deploy {target: staging|production, ref?}`; without `ref` the branch that production is built from."""

    NAME: ClassVar[str] = "deploy"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The project with its repository, and for production what else moves it."""
        _target(request)
        found = await vercel_facts.read(context, api_of(context), env=False)
        known = Facts(found)
        _source(known, _ref(request, known))
        return {**found, "ref": await deploy_ref.resolved(context, known, _ref(request, known))}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """What would be done."""
        known, api = Facts(facts), api_of(context)
        target, ref, sha = _target(request), _ref(request, known), deploy_ref.sha_of(payload.mapping(facts, "ref"))
        live, is_production = known.live, target == "production"
        pinned, name = known.project.auto_assign is False, _named(ref)
        body = _body(known, context, target, ref, sha)
        on = vercel_plan.wants_ci_held(request)
        options, first, held = vercel_plan.held_ci(known, on=on) if is_production else ((), (), {})
        back = f"radar rollback --to {shlex.quote(live.id)}" if live and is_production and not pinned else ""
        return Plan(
            action=self.NAME,
            title=f"Deploy {name} to {target}",
            environment=context.environment.name,
            target=f"{name} of {body['name']} to {target}",
            short_id=name,
            risk=Risk.DISRUPTIVE if is_production else Risk.SAFE,
            exclusion=CHANGES_DEPLOYMENT,
            checks=_checks(context, known, request),
            steps=vercel_plan.beside(first, _steps(api, context, target, name, pinned=pinned)),
            afterwards=_afterwards(target, pinned=pinned),
            undo=back,
            undo_request=ActionRequest(action="rollback", parameters={"to": live.id}) if live and back else None,
            escape=(vercel_plan.by_curl(context, api, "create", body=body), *_by_hand(context, api)),
            options=options,
            data={
                "project": known.project.id or known.project.name, "short": name, "body": body,
                "from": live.id if live else None, "commit": sha,
            } | held,
        )  # fmt: skip

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Do one step."""
        if step.key == vercel_plan.BEFORE:
            return await vercel_plan.look_before(context, plan)
        if step.key == vercel_plan.SEE:
            return await vercel_plan.see(context, plan)
        if step.key == vercel_plan.WATCH:
            return await vercel_plan.watch(context, plan)
        if step.key == LOOK:
            return await _look(context)
        return (
            await vercel_build.carry_out(context, plan, step)
            or await vercel_plan.held_ci_step(context, plan, step)
            or failed(f"there is no step {step.key}")
        )

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Whether the build was begun."""
        return (
            await vercel_build.resolve(context, step)
            or await vercel_plan.held_ci_resolved(context, plan, step)
            or unknown("nothing outside tells of it")
        )


def _target(request: ActionRequest) -> str:
    wanted = text_of(request, "target")
    if wanted not in TARGETS:
        raise Refused("deploy to staging or production?")
    return wanted


def _ref(request: ActionRequest, facts: Facts) -> str:
    """A branch, tag or commit, fit for a command line; unnamed the branch of production. Raises `Refused`."""
    link = facts.project.link
    wanted = text_of(request, "ref") or (link.branch if link else None)
    if wanted is None:
        raise Refused("which ref? name a branch, a tag or a commit")
    if not _REF.fullmatch(wanted) or wanted.startswith("-") or ".." in wanted:
        raise Refused(f"{clean(wanted, 80)} is no ref")
    return wanted


def _named(ref: str) -> str:
    return ref[:7] if _COMMIT.fullmatch(ref) else ref


def _source(facts: Facts, ref: str, sha: str | None = None) -> dict[str, Json]:
    """Where Vercel takes the code from. Raises `Refused` where it is not linked to GitHub."""
    link = facts.project.link
    if link is None:
        raise Refused("the project is linked to no repository that this token is shown: nothing to build a ref from")
    if link.type != "github" or not link.org or not link.repo:
        raise Refused(f"the project is linked to {link.type}; refs are deployed from GitHub only")
    # The very commit of the plan, though the branch may have moved on when the build begins.
    known = sha or (ref if _COMMIT.fullmatch(ref) else None)
    whole = known if known is not None and known.startswith(ref) else ref
    return {"type": "github", "org": link.org, "repo": link.repo, "ref": whole, **({"sha": known} if known else {})}


def _body(facts: Facts, context: Context, target: str, ref: str, sha: str | None) -> dict[str, Json]:
    vercel = context.environment.vercel
    configured = vercel.project if vercel else ""
    return {
        "name": facts.project.name or configured, "project": facts.project.id or configured, "target": target,
        "gitSource": _source(facts, ref, sha),
    }  # fmt: skip


def _steps(api: VercelApi, context: Context, target: str, name: str, *, pinned: bool) -> tuple[Step, ...]:
    building = vercel_build.build_steps(api, f"ask Vercel to build {name} for {target}")
    if target == "production":
        serving = (vercel_build.live_step(api), *vercel_plan.outside_steps(name, context))
        return building if pinned else (vercel_plan.before_step(context), *building, *serving)
    where = context.operations.staging or "the deployment's own address"
    words = f"look whether {where} answers"
    return (*building, Step(key=LOOK, kind=StepKind.SEE, words=words, call=f"GET {where}", required=False))


def _checks(context: Context, facts: Facts, request: ActionRequest) -> tuple[Check, ...]:
    vercel = context.environment.vercel
    identity = (
        *vercel_checks.identity(facts, vercel.project if vercel else "", context.environment.url),
        *_of_ref(facts, _ref(request, facts)),
    )
    if _target(request) != "production":
        return (*identity, *in_progress.checks(in_progress.of_vercel(facts.raw)))
    return (
        *identity,
        _frozen(facts, despite=request.parameters.get("despite_freeze") is True),
        *_pinned(facts),
        *vercel_checks.jobs(facts, WAITS),
        *vercel_checks.building(facts),
        *vercel_checks.ci(facts),
        *vercel_checks.records(facts),
    )


def _of_ref(facts: Facts, ref: str) -> tuple[Check, ...]:
    link = facts.project.link
    repository = f"{link.org}/{link.repo}" if link else ""
    return deploy_ref.checks(facts, payload.mapping(facts.raw, "ref"), ref, repository)


def _frozen(facts: Facts, *, despite: bool) -> Check:
    held = vercel_checks.freeze(facts)
    if held is not None:
        words = f"a deploy freeze is in force: {held.get('text')} ({held.get('owner')})"
        if despite:
            return facts.doubt("freeze", f"{words}; this goes on despite it", RECORDS)
        return facts.refuse("freeze", f"{words}; radar freeze off ends it", RECORDS)
    if payload.items(facts.raw, "observed", "trouble"):
        return facts.doubt("freeze", "whether a deploy freeze is in force cannot be read", STORE)
    one = any(" run " in (payload.text(row, "subject") or "") for row in facts.holdings if _is_freeze(row))
    return facts.well("freeze", "no deploy freeze is in force" + (", only one CI run is held" if one else ""), RECORDS)


def _is_freeze(row: Json) -> bool:
    return payload.text(row, "kind") == vercel_checks.FREEZE


def _pinned(facts: Facts) -> tuple[Check, ...]:
    found = vercel_checks.assignment(facts)
    if facts.project.auto_assign is not False:
        return found
    return (*found, facts.doubt("live", "it is built and does not go live: production is pinned until a promote"))


def _afterwards(target: str, *, pinned: bool) -> tuple[str, ...]:
    if target != "production":
        return ("production stays as it is",)
    if pinned:
        return ("production stays as it is: radar promote ID makes the new build live",)
    return ("the new build serves production, with today's environment variables and settings",)


async def _look(context: Context) -> StepResult:
    """Whether staging answers; Vercel's own login before it is an answer too."""
    built = payload.text(context.done, "url")
    place = context.operations.staging or (f"https://{built}" if built else None)
    if place is None:
        return failed("Vercel did not tell the address of the build")
    answer = await asked(context, place)
    if answer.status in (401, 403):
        return done(f"{answer.url} answers {answer.status}: it is there, and protected")
    return failed(f"{answer.url} answers {answer.status}") if answer.status >= 400 else done(
        f"{answer.url} answers {answer.status}")  # fmt: skip


def _by_hand(context: Context, api: VercelApi) -> tuple[str, ...]:
    return (
        f"vercel list {shlex.quote(api.project_name)}{vercel_plan.scope(api)}",
        *vercel_plan.check_by_hand(context, api),
    )
