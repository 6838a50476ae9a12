"""A build at Vercel that we ask for: asked once, found again by the run's token in its `meta`, followed to its end."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

from console.actions import vercel_follow, vercel_pin, vercel_plan
from console.actions.base import Context, done, failed, unknown
from console.actions.vercel_api import VercelApi
from console.actions.vercel_facts import api_of
from console.actions.wire import Rejected
from console.model import payload
from console.model.actions import Plan, Step, StepKind, StepResult
from console.model.observation import Json
from console.model.vercel_project import RUN_KEY, Deployment

BUILD, BUILT, LIVE = "build", "built", "live"
EXPECTED_BUILD_S = 90.0
NEWEST = 20
_STAGING = "staging"
_ABOUT_TARGET = re.compile("target|environment", re.IGNORECASE)


def build_steps(api: VercelApi, words: str) -> tuple[Step, ...]:
    """Ask for a build, and follow it."""
    return (
        Step(key=BUILD, kind=StepKind.CHANGE, words=words, call=f"POST {api.shown('create')}"),
        Step(
            key=BUILT, kind=StepKind.FOLLOW, words="follow the build until it is READY; else show the end of its log",
            call=f"GET {api.shown('deployment', '…')}", expected_s=EXPECTED_BUILD_S,
        ),
    )  # fmt: skip


def live_step(api: VercelApi) -> Step:
    """See the build become production."""
    return Step(
        key=LIVE, kind=StepKind.FOLLOW, words="follow its domains until it serves production",
        call=f"GET {api.shown('project')}", expected_s=10.0,
    )  # fmt: skip


async def carry_out(context: Context, plan: Plan, step: Step) -> StepResult | None:
    """Do a step of these; None: it is none."""
    if step.key == BUILD:
        return await _ask(context, plan)
    if step.key == BUILT:
        result, one = await vercel_follow.built(context, api_of(context), _built(context))
        return replace(result, data={**result.data, "built_short": one.short}) if one else result
    if step.key == LIVE:
        result, project = await vercel_follow.live(context, api_of(context), _built(context))
        if project is None or project.auto_assign is not True:
            return result
        return replace(result, releases=vercel_pin.pinned_subjects(plan, project, context.environment))
    return None


async def resolve(context: Context, step: Step) -> StepResult | None:
    """Of a build that was asked for: whether there is one with this run's token; None: not a step of these."""
    if step.key != BUILD:
        return None
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        newest, _ = await api_of(context).deployments(limit=NEWEST)
        found = next((one for one in newest if one.run is not None and one.run == context.run), None)
        if found is not None:
            return done(f"Vercel took it: {found.short} ({found.id}) is {found.state}", built=found.id)
        if clock() - began >= vercel_follow.RESOLVE_S:
            break
        await context.wait(vercel_follow.POLL_S)
    if any(one.run or one.commit for one in newest):  # `meta` is told to this token: that ours is absent says something
        return failed("Vercel tells of no build that this run asked for: nothing was begun")
    return unknown("none of the newest builds names this run: look whether one was begun, before asking again")


async def _ask(context: Context, plan: Plan) -> StepResult:
    body = dict(payload.mapping(plan.data, "body"))
    body["meta"] = {**payload.mapping(body, "meta"), RUN_KEY: context.run or ""}
    one, as_preview = await _created(context, body)
    said = "; no target `staging` there, so it is a preview" if as_preview else ""
    return done(f"taken: {one.short} ({one.id}) is {one.state}{said}", built=one.id, url=one.url)


async def _created(context: Context, body: dict[str, Json]) -> tuple[Deployment, bool]:
    """What was made, and whether as a preview: where the project has no staging, that is what stands in for it."""
    api = api_of(context)
    try:
        return await api.create(body), False
    except Rejected as error:
        if error.status != 400 or body.get("target") != _STAGING or not _ABOUT_TARGET.search(error.words):
            raise
        context.tell(f"{error.words}: asking for a preview instead")
    return await api.create({key: value for key, value in body.items() if key != "target"}), True


def _built(context: Context) -> str:
    return payload.text(context.done, "built", limit=80) or ""


def with_move_steps(api: VercelApi, context: Context, *, pinned: bool, words: str, named: str) -> tuple[Step, ...]:
    """Build, go live (by itself, or by a promotion where nothing goes live by itself), see, watch."""
    building = (vercel_plan.before_step(context), *build_steps(api, words))
    if not pinned:
        return (*building, live_step(api), *vercel_plan.outside_steps(named, context))
    move = Step(
        key=vercel_plan.ASK, kind=StepKind.CHANGE, words="ask Vercel to promote the build: nothing goes live by itself",
        call=f"POST {api.shown('promote', '…')} (asynchronous)",
    )  # fmt: skip
    follow = Step(
        key=vercel_plan.FOLLOW, kind=StepKind.FOLLOW, words="follow the job until it is ours and succeeded",
        call=f"GET {api.shown('project')}", expected_s=5.0,
    )  # fmt: skip
    return (*building, move, follow, *vercel_plan.outside_steps(named, context))
