"""What the plans that move production share: their steps, their words, their escape cards, and carrying them out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from console.actions import outside, vercel_follow
from console.actions.base import Context, done, failed
from console.actions.vercel_api import Accepted, Move, VercelApi
from console.actions.vercel_checks import Facts
from console.actions.vercel_facts import api_of
from console.actions.vercel_follow import Asked
from console.actions.wire import Rejected
from console.model import payload
from console.model.actions import ActionRequest, Option, Plan, Step, StepKind, StepOutcome, StepResult
from console.model.observation import Json
from console.model.ports import Refused
from console.model.states import State
from console.model.text import clean
from console.model.vercel_project import Deployment, Project
from console.model.words import listed, seconds
from console.sources.faults import Fault

BEFORE, ASK, FOLLOW, SEE, WATCH = "before", "ask", "follow", "see", "watch"
SHOWN_END = 3
SEE_TRIES = 3
LONGEST_WAIT_S = 60.0
"""A rate limit's bucket is a minute at Vercel; who asks for more is not waited for."""
SPARE_S = 1.0
"""Its clock and ours need not agree."""


def short_name(identifier: str | None) -> str:
    """`prj_…e7x`: enough of an id to tell it from its neighbours."""
    if identifier is None or len(identifier) < 12:
        return identifier or "?"
    kind, mark, _ = identifier.partition("_")
    return f"{kind}_…{identifier[-SHOWN_END:]}" if mark else f"{identifier[:4]}…{identifier[-SHOWN_END:]}"


def told_apart(facts: Facts, one: Deployment) -> str:
    """What is typed to mean it: its short name; the end of its id where another deployment is called the same, as one
    is that was built anew of the same commit."""
    others = (*facts.listed, facts.project.production, facts.wanted)
    is_shared = any(other is not None and other.short == one.short and other.id != one.id for other in others)
    return one.id[-7:] if is_shared else one.short


def move_steps(api: VercelApi, move: Move, target: Deployment, context: Context) -> tuple[Step, ...]:
    """Look how it is now, ask, and follow the job."""
    what = "roll back" if move == "rollback" else "promote"
    words = f"ask Vercel to {what} {short_name(api.project_name)} to {short_name(target.id)}"
    return (
        before_step(context),
        Step(key=ASK, kind=StepKind.CHANGE, words=words, call=f"POST {api.shown(move, target.id)} (asynchronous)"),
        Step(
            key=FOLLOW, kind=StepKind.FOLLOW, words="follow the job until it is ours and succeeded",
            call=f"GET {api.shown('project')}; {seconds(vercel_follow.FOLLOW_S)}, then unknown", expected_s=5.0,
        ),
        *outside_steps(target.short, context),
    )  # fmt: skip


def before_step(context: Context) -> Step:
    """A picture of before, kept by itself: the answer to the request may get lost, and what it left with it."""
    routes = ", ".join(context.environment.routes)
    return Step(
        key=BEFORE, kind=StepKind.SEE, words="look from outside how it is now, to compare with", required=False,
        call=f"GET {context.environment.health}, {routes}; {outside.BEFORE_S:g} s at most", expected_s=0.5,
    )  # fmt: skip


async def look_before(context: Context, _: Plan) -> StepResult:
    """How it is before anything has moved."""
    was = await outside.before(context)
    ill = [f"{target}: {state}" for target, state in payload.mapping(was, "states").items() if state != State.HEALTHY]
    return done(listed(ill, 3) if ill else "all that is asked is healthy", before=was)


def outside_steps(named: str, context: Context) -> tuple[Step, ...]:
    """See it from outside, and watch it."""
    told, host = context.operations.verification, urlsplit(context.environment.url).hostname
    return (
        Step(
            key=SEE, kind=StepKind.SEE, words=f"see {named} answer at {host}",
            call=f"GET {context.environment.health} (from outside)", expected_s=2.0,
        ),
        Step(
            key=WATCH, kind=StepKind.WATCH,
            words=f"watch routes and health, {told.rounds} good rounds; else: undo offered",
            call=f"GET {', '.join(context.environment.routes)}; every {told.interval_s:g} s for {told.window_s:g} s",
            expected_s=max(1.0, (told.rounds - 1) * told.interval_s + 1.0),
        ),
    )  # fmt: skip


def move_data(facts: Facts, move: Move, target: Deployment) -> dict[str, Json]:
    """What the steps need of a plan: never a time of our looking, which would make each plan another one."""
    live, job = facts.live, facts.project.job
    return {
        "move": move,
        "project": facts.project.id or facts.project.name,
        "target": target.id,
        "short": target.short,
        "commit": target.commit,
        "from": live.id if live else None,
        "from_short": live.short if live else None,
        "last_job": job.requested_ms if job else None,
        "auto_assign": facts.project.auto_assign,
    }


def asked_of(context: Context, plan: Plan) -> Asked:
    """The move that a plan is about, with what the steps before left."""
    data, move = plan.data, payload.text(plan.data, "move")
    before_ms, asked_ms = payload.number(data, "last_job"), payload.number(context.done, "asked_ms")
    return Asked(
        move="promote" if move == "promote" else "rollback",
        target=target_id(context, plan),
        before_ms=int(before_ms) if before_ms is not None else None,
        asked_ms=int(asked_ms) if asked_ms is not None else None,
        queued=payload.flag(context.done, "queued") is True,
        same=data.get("target") is not None and data.get("target") == data.get("from"),
    )


def target_id(context: Context, plan: Plan) -> str:
    """The deployment that shall serve: planned, or built by a step before."""
    return payload.text(context.done, "built", limit=80) or payload.text(plan.data, "target", limit=80) or ""


async def ask(context: Context, plan: Plan) -> StepResult:
    """Ask for the move, once."""
    asked = asked_of(context, plan)
    if "built" in context.done and (result := await _moved_meanwhile(context, plan, asked)) is not None:
        return result
    accepted = await _asked(context, plan, asked)
    if isinstance(accepted, StepResult):
        return accepted
    if accepted.status == 202:
        words = "taken, and queued behind the rolling release in progress: it goes live when that ends"
        return done(words, asked_ms=accepted.asked_ms, queued=True)
    return done(f"taken ({accepted.status}): accepted, not done", asked_ms=accepted.asked_ms)


async def _asked(context: Context, plan: Plan, asked: Asked) -> Accepted | StepResult:
    """The request; where Vercel says how long it wants to be left alone, once more after that. What it refused so was
    certainly not carried out, and production may have moved meanwhile. Raises `Rejected`, `Unanswered`."""
    api = api_of(context)
    try:
        return await api.move(asked.move, asked.target, context.reason)
    except Rejected as refusal:
        wait_s = refusal.retry_after_s
        if refusal.status != 429 or wait_s is None or wait_s > LONGEST_WAIT_S:
            raise
        context.tell(f"Vercel takes nothing for {wait_s:.0f} s: waiting, then it is asked once more ({refusal.words})")
    await context.wait(wait_s + SPARE_S)
    meanwhile = await _moved_meanwhile(context, plan, asked, "while Vercel had to be waited for")
    return meanwhile or await api.move(asked.move, asked.target, context.reason)


async def _moved_meanwhile(
    context: Context, plan: Plan, asked: Asked, when: str = "during the build"
) -> StepResult | None:
    """A build takes minutes, in which the plan grows old; None: production is still what it was then."""
    try:
        live = (await api_of(context).project()).production
    except Fault as fault:
        return failed(f"whether production is still as planned cannot be read, nothing was asked: {fault.words}")
    was = payload.text(plan.data, "from", limit=80)
    if was == (live.id if live else None):
        return None
    if live is not None and live.id == asked.target:
        by = "the build went live by itself" if "built" in context.done else f"somebody was faster {when}"
        return done(f"{by}: production is {live.short}")
    now = f"{live.short} ({live.id})" if live else "not told"
    told = payload.text(plan.data, "from_short") or was or "not told"
    return failed(f"production was {told} and is {now} now: somebody moved it {when}, nothing was asked")


async def follow(context: Context, plan: Plan) -> tuple[StepResult, Project | None]:
    """Follow the job."""
    return await vercel_follow.follow(context, api_of(context), asked_of(context, plan))


async def carry_out(
    context: Context, plan: Plan, step: Step, followed: Callable[[Context, Plan], Awaitable[StepResult]]
) -> StepResult | None:
    """Do a step of a move; None: it is none of them. `followed` is the move's own way to follow it."""
    works: dict[str, Callable[[Context, Plan], Awaitable[StepResult]]]
    works = {BEFORE: look_before, ASK: ask, FOLLOW: followed, SEE: see, WATCH: watch}
    work = works.get(step.key)
    return await work(context, plan) if work else await held_ci_step(context, plan, step)


async def resolve(context: Context, plan: Plan, step: Step) -> StepResult | None:
    """Whether a request was taken, by the project's last one; None: it is no step of a move."""
    if step.key == ASK:
        return await vercel_follow.resolve(context, api_of(context), asked_of(context, plan))
    return await held_ci_resolved(context, plan, step)


async def see(context: Context, plan: Plan) -> StepResult:
    """That Vercel says so, and then that it is seen from outside."""
    target = target_id(context, plan)
    live = await _serving(context)
    if live is not None and live.id != target:
        return failed(f"production is {live.short} ({live.id}), not {short_name(target)}")
    short = payload.text(plan.data, "short") or target[:11]
    commit = payload.text(plan.data, "commit")
    known = live or Deployment(id=target, short=short, commit=commit)
    result = await outside.see(context, known)
    said = f"Vercel: production is {known.short}" if live else "Vercel does not tell what serves"
    return replace(result, words=f"{said}; {result.words}")


async def _serving(context: Context) -> Deployment | None:
    """What serves, as Vercel says; None: it does not say. One answer that gets lost is no finding."""
    for attempt in range(SEE_TRIES):
        if attempt:
            await context.wait(vercel_follow.POLL_S)
        try:
            return (await api_of(context).project()).production
        except Fault as fault:
            context.tell(f"Vercel cannot be asked now: {fault.words}")
    return None


async def watch(context: Context, plan: Plan) -> StepResult:
    """Some rounds from outside."""
    return await outside.watch(context, plan.undo)


def has_moved(project: Project | None, asked: Asked) -> bool:
    """Whether production was seen as the move leaves it."""
    return project is not None and asked.moved(project)


def is_done(result: StepResult) -> bool:
    """Whether the step came to its good end."""
    return result.outcome is StepOutcome.DONE


def named(found: Mapping[str, Json], wanted: str) -> Deployment:
    """The deployment that was named. Raises `Refused` when there is none, or it is another project's."""
    facts = Facts(found)
    one = facts.wanted
    if one is None:
        raise Refused(f"Vercel tells of no deployment {clean(wanted, 80)} of this project")
    if one.project and facts.project.id and one.project != facts.project.id:
        raise Refused(f"{one.id} is a deployment of another project ({one.project})")
    return one


# Words for by hand


def scope(api: VercelApi) -> str:
    """` --scope TEAM`, as the vercel command takes it."""
    return f" --scope {shlex.quote(api.team)}" if api.team else ""


def by_curl(context: Context, api: VercelApi, name: str, deployment: str = "", body: Json = None) -> str:
    """The same request without this console; the token stays in the environment of who types it."""
    vercel = context.environment.vercel
    base = vercel.api.rstrip("/") if vercel else "https://api.vercel.com"
    return (
        f'curl -X POST {shlex.quote(base + api.path(name, deployment))} -H "authorization: Bearer $VERCEL_TOKEN" '
        f"-H 'content-type: application/json' -d {shlex.quote(json.dumps(body or {}))}"
    )


def check_by_hand(context: Context, api: VercelApi) -> tuple[str, ...]:
    """How to see by hand whether it worked."""
    host = urlsplit(context.environment.url).netloc
    return (
        f"vercel inspect {shlex.quote(host)}{scope(api)}",
        f"curl -sS {shlex.quote(context.environment.url.rstrip('/') + context.environment.health)}",
    )


# Holding the CI as long as the plan runs


def held_ci(facts: Facts, *, on: bool) -> tuple[tuple[Option, ...], tuple[Step, ...], dict[str, Json]]:
    """The option to hold the CI, and its steps and data when it is switched on."""
    if not facts.ci:
        return (), (), {}
    from console.actions import hold_ci

    option = hold_ci.option(facts.ci, on=on)
    if option is None:
        return (), (), {}
    if not on:
        return (option,), (), {}
    data = hold_ci.data(facts.ci)
    return (option,), tuple(replace(step, required=False) for step in hold_ci.steps(data)), data


def beside(held: tuple[Step, ...], steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The CI is asked to stop before anything else, and seen to have stopped before anything is judged from outside:
    its end takes GitHub up to a minute, in which production need not stay broken.
    """
    first = tuple(step for step in held if step.kind is not StepKind.FOLLOW)
    then = tuple(step for step in held if step.kind is StepKind.FOLLOW)
    end = next((place for place, step in enumerate(steps) if step.key == SEE), len(steps))
    return (*first, *steps[:end], *then, *steps[end:])


def wants_ci_held(request: ActionRequest) -> bool:
    """Whether the request switched that option on."""
    return request.parameters.get("hold_ci") is True


async def held_ci_step(context: Context, plan: Plan, step: Step) -> StepResult | None:
    """Carry out a step of holding the CI; None: it is none."""
    if "hold_ci" not in plan.data:
        return None
    from console.actions import hold_ci

    return await hold_ci.carry_out(context, plan, step)


async def held_ci_resolved(context: Context, plan: Plan, step: Step) -> StepResult | None:
    """Resolve a step of holding the CI; None: it is none."""
    if "hold_ci" not in plan.data:
        return None
    from console.actions import hold_ci

    return await hold_ci.resolve(context, plan, step)
