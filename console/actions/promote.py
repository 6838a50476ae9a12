"""Promote: a deployment becomes production, and what is pushed later goes live by itself again."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from console.actions import vercel_build, vercel_checks, vercel_facts, vercel_pin, vercel_plan
from console.actions.base import CHANGES_DEPLOYMENT, Context, failed, text_of, unknown
from console.actions.vercel_api import VercelApi
from console.actions.vercel_checks import PINNED, RECORDS, Facts
from console.actions.vercel_facts import api_of
from console.model.actions import ActionRequest, Check, Holding, Plan, Risk, Step, StepResult
from console.model.observation import Json
from console.model.ports import Refused
from console.model.vercel_project import UNKNOWN, Deployment, told

WAITS = "the promotion waits behind it"
SWITCHED_ON = "later pushes go live by themselves again: promote switches that ON, even where it was off on purpose"


class Promote:
    """`promote {to: id or commit}`. A preview cannot be promoted: it is built anew for production."""

    NAME: ClassVar[str] = "promote"

    async def facts(self, context: Context, request: ActionRequest) -> Mapping[str, Json]:
        """The project, the deployment that is meant, and what else moves production."""
        wanted = text_of(request, "to")
        if wanted is None:
            raise Refused("which deployment? name it by its id or commit")
        found = await vercel_facts.read(context, api_of(context), wanted=wanted)
        target = vercel_plan.named(found, wanted)
        at_ms = vercel_checks.built_ms(target)
        then = await asyncio.to_thread(vercel_facts.migration_then, context, at_ms) if at_ms is not None else None
        return {**found, "wanted": told(target), "migration_then": then}

    def plan(self, context: Context, request: ActionRequest, facts: Mapping[str, Json]) -> Plan:
        """What would be done."""
        known, api = Facts(facts), api_of(context)
        target, live = known.wanted, known.live
        assert target is not None  # `facts` refuses where there is none
        if vercel_pin.is_only_recorded(known, target):
            return _release(context, known, target)
        options, first, held = vercel_plan.held_ci(known, on=vercel_plan.wants_ci_held(request))
        back = live if live is not None and live.id != target.id else None
        name, left = (vercel_plan.told_apart(known, one) if one else "" for one in (target, back))
        return Plan(
            action=self.NAME,
            title=f"Promote {name} to {context.environment.name}" + (f" from {left}" if left else ""),
            environment=context.environment.name,
            target=f"{target.short} ({target.id})",
            short_id=name,
            risk=Risk.DISRUPTIVE,
            exclusion=CHANGES_DEPLOYMENT,
            checks=_checks(context, known, target),
            steps=vercel_plan.beside(first, _steps(api, context, known, target)),
            lost=_lost(target),
            afterwards=_afterwards(known),
            undo=f"radar rollback --to {shlex.quote(back.id)}" if back else "",
            undo_request=ActionRequest(action="rollback", parameters={"to": back.id}) if back else None,
            escape=_escape(context, api, target),
            options=options,
            data=_data(known, target, context) | held,
        )

    async def carry_out(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Do one step."""
        return (
            await vercel_pin.carry_out(context, plan, step)
            or await vercel_build.carry_out(context, plan, step)
            or await vercel_plan.carry_out(context, plan, step, _follow)
            or failed(f"there is no step {step.key}")
        )

    def perhaps(self, context: Context, plan: Plan) -> tuple[Holding, ...]:
        """Nothing: a promotion leaves no entry."""
        return ()

    async def left(self, context: Context, plan: Plan) -> StepResult:
        """How production stands where the run is closed by hand."""
        return await vercel_pin.left_by_promotion(context, plan)

    async def resolve(self, context: Context, plan: Plan, step: Step) -> StepResult:
        """Whether the request was taken, by the project's last one or by the build that it began."""
        return (
            await vercel_build.resolve(context, step)
            or await vercel_plan.resolve(context, plan, step)
            or unknown("nothing outside tells of it")
        )


def _rebuilds(target: Deployment) -> bool:
    return target.target != "production"


async def _follow(context: Context, plan: Plan) -> StepResult:
    """Follow it; once production moved by it nothing is pinned any more."""
    result, project = await vercel_plan.follow(context, plan)
    if not vercel_plan.is_done(result):
        return result
    return replace(result, releases=vercel_pin.pinned_subjects(plan, project, context.environment))


def _release(context: Context, facts: Facts, target: Deployment) -> Plan:
    """Somebody has promoted elsewhere: what is left is the entry in the ledger."""
    return Plan(
        action=Promote.NAME,
        title=f"End the entry of {context.environment.name}'s pin: {target.short} serves, and nothing is pinned",
        environment=context.environment.name,
        target=f"{target.short} ({target.id})",
        short_id=target.short,
        risk=Risk.SAFE,
        exclusion=CHANGES_DEPLOYMENT,
        checks=_checks(context, facts, target),
        steps=vercel_pin.release_steps(api_of(context)),
        afterwards=("the pin in the ledger ends; nothing is asked of Vercel",),
        data=vercel_plan.move_data(facts, "promote", target),
    )


def _steps(api: VercelApi, context: Context, facts: Facts, target: Deployment) -> tuple[Step, ...]:
    if not _rebuilds(target):
        return vercel_plan.move_steps(api, "promote", target, context)
    words = f"ask Vercel to build {target.short} anew for production"
    pinned = facts.project.auto_assign is False
    return vercel_build.with_move_steps(api, context, pinned=pinned, words=words, named="the new build")


def _data(facts: Facts, target: Deployment, context: Context) -> dict[str, Json]:
    data = vercel_plan.move_data(facts, "promote", target)
    if not _rebuilds(target):
        return data
    vercel = context.environment.vercel
    name = facts.project.name or target.name or (vercel.project if vercel else "")
    body: Json = {"deploymentId": target.id, "name": name, "target": "production", "meta": {"action": "promote"}}
    return {**data, "target": None, "commit": None, "body": body}


def _checks(context: Context, facts: Facts, target: Deployment) -> tuple[Check, ...]:
    vercel = context.environment.vercel
    return (
        _target(facts, target),
        *vercel_checks.identity(facts, vercel.project if vercel else "", context.environment.url),
        *vercel_checks.jobs(facts, WAITS),
        *vercel_checks.building(facts),
        *vercel_checks.ci(facts),
        *_frozen(facts),
        vercel_checks.migrations(facts, target),
        vercel_checks.variables(facts, target),
        *_assignment(facts),
        *vercel_checks.records(facts),
    )


def _target(facts: Facts, target: Deployment) -> Check:
    live = facts.live
    if target.deleted or target.state == "deleted":
        return facts.refuse("target", f"{target.called}: it was deleted, or retention removed it")
    if target.state not in ("ready", UNKNOWN):
        why = f": {target.error}" if target.error else ""
        return facts.refuse("target", f"{target.called}: its build is {target.state}{why}")
    if live is not None and live.id == target.id:
        if vercel_pin.is_only_recorded(facts, target):
            return facts.well("target", f"{target.called} serves production, and pushes go live by themselves")
        if facts.project.auto_assign is True:
            return facts.refuse("target", f"{target.called} serves production already, and nothing is pinned")
        return facts.well("target", f"{target.called} serves production already: this only ends the pin")
    if target.state == UNKNOWN:
        return facts.doubt("target", f"{target.called}: {vercel_checks.NOT_KNOWN_STATE}")
    if why := vercel_checks.speaks_against(facts, target):
        return facts.doubt("target", f"{target.called}: {why}{vercel_checks.did(facts, target)}")
    if target.target is None or _rebuilds(target):
        return facts.doubt(
            "target", f"{target.called} is no production deployment: it is built anew, with today's settings"
        )
    if target.alias_checks == "failed":
        return facts.doubt("target", f"{target.called}: the checks before its domains failed")
    if not target.aliased:
        return facts.well("target", f"{target.called} was built and never served production")
    words = f"{target.called} served production before{vercel_checks.did(facts, target)}"
    return facts.doubt("target", words) if vercel_checks.is_bad(facts, target) else facts.well("target", words)


def _frozen(facts: Facts) -> tuple[Check, ...]:
    held = vercel_checks.freeze(facts)
    if held is None:
        return ()
    return (facts.doubt("freeze", f"a deploy freeze is in force: {held.get('text')} ({held.get('owner')})", RECORDS),)


def _assignment(facts: Facts) -> tuple[Check, ...]:
    """What stands in the way of pushes going live, and ends by this."""
    project = facts.project
    held = facts.holding(PINNED, project.id, project.name)
    found = [facts.doubt("paused", "the project is paused: visitors get 503 whatever serves")] if project.paused else []
    if held is not None:
        gone = "; at Vercel it has ended already" if project.auto_assign is True else ""
        found.append(facts.well("pinned", f"this ends: {held.get('text')} ({held.get('owner')}){gone}", RECORDS))
    elif project.auto_assign is False:
        words = f"pushes do not go live by themselves, {vercel_checks.by_whom(facts)}: this switches it ON"
        found.append(facts.doubt("pinned", words))
    return tuple(found)


def _afterwards(facts: Facts) -> tuple[str, ...]:
    changes = "" if facts.project.auto_assign is False else " (they do now)" if facts.project.auto_assign else ""
    return (SWITCHED_ON + changes, "the pin in the ledger ends")


def _lost(target: Deployment) -> tuple[str, ...]:
    if _rebuilds(target):
        return ("the build that was looked at: the new one has today's environment variables and settings",)
    return (f"environment variables and cron jobs are those of the build of {target.short}", "database schema stays")


def _escape(context: Context, api: VercelApi, target: Deployment) -> tuple[str, ...]:
    return (
        f"vercel promote {shlex.quote(target.id)}{vercel_plan.scope(api)}",
        vercel_plan.by_curl(context, api, "promote", target.id),
        f"vercel promote status {shlex.quote(api.project_name)}{vercel_plan.scope(api)}   # accepted is not done",
        *vercel_plan.check_by_hand(context, api),
    )
