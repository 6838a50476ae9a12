"""Rollback (E1): production goes back to a deployment that served before. Accepted is not done; then it is pinned."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from console.actions import vercel_checks, vercel_choice, vercel_facts, vercel_pin, vercel_plan
from console.actions.base import CHANGES_DEPLOYMENT, Context, failed, text_of, unknown
from console.actions.vercel_api import VercelApi
from console.actions.vercel_checks import Facts
from console.actions.vercel_choice import Choice
from console.actions.vercel_facts import api_of
from console.model.actions import ActionRequest, Check, Holding, Plan, Risk, Step, StepResult
from console.model.observation import Json
from console.model.times import date_time
from console.model.vercel_project import Deployment, told

ABORTS = "this request aborts it"


class Rollback:
    """`rollback {to?: id or commit}`; without `to` what served just before, unless something speaks against it."""

    NAME: ClassVar[str] = "rollback"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The project, its deployments, what else moves production, and what will not come back."""
        wanted = text_of(request, "to")
        found = await vercel_facts.read(context, api_of(context), wanted=wanted)
        choice = _target(found, wanted)
        at_ms = vercel_checks.built_ms(choice.target)
        then = await asyncio.to_thread(vercel_facts.migration_then, context, at_ms) if at_ms is not None else None
        facts = Facts(found)
        passed: list[Json] = [
            f"{one.called}: {why}{vercel_checks.amiss(facts, one, why)}" for one, why in choice.passed
        ]
        return {**found, "wanted": told(choice.target), "passed": passed, "migration_then": then}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """What would be done."""
        known, api = Facts(facts), api_of(context)
        target = known.wanted
        assert target is not None  # `facts` refuses where there is none
        options, first, held = vercel_plan.held_ci(known, on=vercel_plan.wants_ci_held(request))
        live, name = known.live, vercel_plan.told_apart(known, target)
        left = vercel_plan.told_apart(known, live) if live else "?"
        return Plan(
            action=self.NAME,
            title=f"Roll back {context.environment.name} from {left} to {name}",
            environment=context.environment.name,
            target=f"{target.short} ({target.id})",
            short_id=name,
            risk=Risk.DISRUPTIVE,
            exclusion=CHANGES_DEPLOYMENT,
            checks=_checks(context, known, target),
            steps=vercel_plan.beside(first, vercel_plan.move_steps(api, "rollback", target, context)),
            lost=_lost(target, live),
            afterwards=("later pushes are built and do not go live until something is promoted: in the ledger",),
            undo=f"radar promote {shlex.quote(live.id)}" if live else "",
            undo_request=ActionRequest(action="promote", parameters={"to": live.id}) if live else None,
            escape=_escape(context, api, target),
            options=options,
            data=vercel_plan.move_data(known, "rollback", target) | held,
        )

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Do one step."""
        return await vercel_plan.carry_out(context, plan, step, _follow) or failed(f"there is no step {step.key}")

    def perhaps(self, context: Context, plan: Plan) -> tuple[Holding, ...]:
        """A pin of which nobody knows."""
        return vercel_pin.perhaps(context, plan)

    async def left(self, context: Context, plan: Plan) -> StepResult:
        """How production stands where the run is closed by hand."""
        return await vercel_pin.left_by_rollback(context, plan)

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Whether the request was taken, by the project's last one."""
        return await vercel_plan.resolve(context, plan, step) or unknown("nothing outside tells of it")


async def _follow(context: Context, plan: Plan) -> StepResult:
    """Follow it; once production moved, or Vercel stopped assigning domains, the ledger holds it."""
    result, project = await vercel_plan.follow(context, plan)
    moved = vercel_plan.has_moved(project, vercel_plan.asked_of(context, plan))
    stopped = project is not None and project.auto_assign is False and plan.data.get("auto_assign") is not False
    if vercel_plan.is_done(result) or moved or stopped:
        return replace(result, holds=(vercel_pin.pin(context, plan),))
    return result


def _target(found: Mapping[str, Json], wanted: str | None) -> Choice:
    """The one that is named, or the usual one. Raises `Refused`."""
    if wanted is not None:
        return Choice(vercel_plan.named(found, wanted), ())
    facts = Facts(found)
    return vercel_choice.usual(facts.project, facts.listed, facts.observed)


def _checks(context: Context, facts: Facts, target: Deployment) -> tuple[Check, ...]:
    vercel = context.environment.vercel
    return (
        vercel_checks.candidate(facts, target),
        *vercel_checks.passed_over(facts),
        *vercel_checks.identity(facts, vercel.project if vercel else "", context.environment.url),
        *vercel_checks.jobs(facts, ABORTS),
        *vercel_checks.building(facts),
        *vercel_checks.ci(facts),
        vercel_checks.migrations(facts, target),
        vercel_checks.variables(facts, target),
        *vercel_checks.assignment(facts),
        *vercel_checks.records(facts),
    )


def _lost(target: Deployment, live: Deployment | None) -> tuple[str, ...]:
    built = f" of {date_time(target.created_ms)} UTC" if target.created_ms else ""
    new = live.short if live else "the current deployment"
    return (
        "database schema and data: they stay as they are",
        f"environment variables and settings of {new}: the build{built} keeps its own",
        f"cron jobs of {new}: those of {target.short} run again",
        f"a secret rotated since then: {target.short} may still use the old one",
    )


def _escape(context: Context, api: VercelApi, target: Deployment) -> tuple[str, ...]:
    return (
        f"vercel rollback {shlex.quote(target.id)}{vercel_plan.scope(api)}",
        vercel_plan.by_curl(context, api, "rollback", target.id),
        f"vercel rollback status {shlex.quote(api.project_name)}{vercel_plan.scope(api)}   # accepted is not done",
        *vercel_plan.check_by_hand(context, api),
    )
