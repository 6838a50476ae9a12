"""The ledger's entry of a pinned production: nothing goes live by itself until something is promoted.

Who promotes elsewhere ends the pin and not the entry: that is ended here, without asking Vercel for anything.
"""

from __future__ import annotations

from dataclasses import replace

from console.actions.base import Context, done, failed, unknown
from console.actions.vercel_api import VercelApi
from console.actions.vercel_checks import PINNED, Facts
from console.actions.vercel_facts import api_of
from console.actions.vercel_plan import asked_of
from console.model.actions import Holding, Plan, Step, StepKind, StepOutcome, StepResult
from console.model.configuration import Environment
from console.model.text import clean
from console.model.vercel_project import Deployment, Project

LOOK, RELEASE = "look", "release"


def pin(context: Context, plan: Plan) -> Holding:
    """The entry that a rollback leaves."""
    because = f": {clean(context.reason, 120)}" if context.reason else ""
    return Holding(
        kind=PINNED,
        subject=str(plan.data.get("project") or ""),
        text=f"by rollback to {plan.data.get('short')}{because}",
        undo=plan.undo,
        request=plan.undo_request,
    )


def perhaps(context: Context, plan: Plan) -> tuple[Holding, ...]:
    """The entry where nobody knows whether the rollback took place."""
    held = pin(context, plan)
    return (replace(held, text=f"perhaps, {held.text}; the run was closed before that was known"),)


async def left_by_rollback(context: Context, plan: Plan) -> StepResult:
    """What a rollback whose run ends before its time leaves: a pin, perhaps one, or nothing."""
    project, asked = await api_of(context).project(), asked_of(context, plan)
    job, words = project.job, _stands(project)
    if asked.ours(job) and job is not None and job.running:
        return replace(
            unknown(f"{words}; the rollback is {job.status} and goes on at Vercel"), holds=perhaps(context, plan)
        )
    stopped = project.auto_assign is False and plan.data.get("auto_assign") is not False
    if asked.moved(project) or stopped:
        return replace(done(f"{words}; the ledger holds the pin"), holds=(pin(context, plan),))
    if project.production is None or project.auto_assign is None:
        return replace(unknown(words), holds=perhaps(context, plan))
    return failed(f"{words}; nothing is pinned by it")


async def left_by_promotion(context: Context, plan: Plan) -> StepResult:
    """What a promotion whose run ends before its time leaves: the end of a pin, or nothing."""
    project, asked = await api_of(context).project(), asked_of(context, plan)
    words = _stands(project)
    if asked.target and asked.moved(project) and project.auto_assign is True:
        ended = pinned_subjects(plan, project, context.environment)
        return replace(done(f"{words}; the pin in the ledger ends"), releases=ended)
    return unknown(words)


def _stands(project: Project) -> str:
    """`Vercel: production is c985bb5, and pushes do not go live by themselves`."""
    live = f"production is {project.production.short}" if project.production else "what serves is not told"
    pushes = {True: "pushes go live", False: "pushes do not go live", None: "whether pushes go live is not told"}
    return f"Vercel: {live}, and {pushes[project.auto_assign]}" + (
        "" if project.auto_assign is None else " by themselves"
    )


def pinned_subjects(plan: Plan, project: Project | None, environment: Environment) -> tuple[tuple[str, str], ...]:
    """All names under which a pin of this project may be held."""
    configured = environment.vercel.project if environment.vercel else None
    names = (plan.data.get("project"), configured, project.id if project else None, project.name if project else None)
    return tuple((PINNED, name) for name in dict.fromkeys(names) if isinstance(name, str) and name)


def is_only_recorded(facts: Facts, target: Deployment) -> bool:
    """Whether nothing is left of a pin but its entry: the target serves, and pushes go live by themselves."""
    live, project = facts.project.production, facts.project
    serves = live is not None and live.id == target.id
    return serves and project.auto_assign is True and facts.holding(PINNED, project.id, project.name) is not None


def release_steps(api: VercelApi) -> tuple[Step, ...]:
    """Look once more, and end the entry."""
    return (
        Step(
            key=LOOK, kind=StepKind.SEE, words="see that pushes go live by themselves",
            call=f"GET {api.shown('project')}",
        ),
        Step(key=RELEASE, kind=StepKind.RECORD, words="end the entry in the ledger", expected_s=0.1),
    )  # fmt: skip


async def carry_out(context: Context, plan: Plan, step: Step) -> StepResult | None:
    """Do a step of these; None: it is none."""
    if step.key == LOOK:
        project = await api_of(context).project()
        if project.auto_assign is True:
            return done("pushes go live by themselves: nothing is pinned")
        return failed("pushes do not go live by themselves any more: plan the promotion again")
    if step.key == RELEASE:
        subjects = pinned_subjects(plan, None, context.environment)
        return StepResult(outcome=StepOutcome.DONE, words="the entry is ended", releases=subjects)
    return None
