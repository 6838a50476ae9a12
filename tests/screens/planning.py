"""How tests come to the plan of an action."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from textual.pilot import Pilot

from console.app import RadarApp
from console.model.views import HealthView
from screens.confirming import GUARD_S, Stage
from screens.plan import PlanPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import until, until_fed
from tests.screens.sample import health
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk


def suggesting(slices: int, events: int) -> HealthView:
    """The sample night, with what undoes the cause of its first reason."""
    view = health(slices, events)
    assert view.verdict is not None
    return replace(view, verdict=replace(view.verdict, suggested=("rollback", {})))


def app_with(make_app: MakeApp, desk: ScriptedDesk | None = None, **more: object) -> RadarApp:
    return make_app(ScriptedReads(make_health=suggesting), desk=desk or ScriptedDesk(), **more)


def plan_page(pilot: Pilot[None]) -> PlanPage:
    page = pilot.app.screen
    assert isinstance(page, PlanPage), page
    return page


async def until_ready(pilot: Pilot[None]) -> PlanPage:
    """Until the plan stands and keys count."""
    await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "the plan's page")
    page = plan_page(pilot)
    await until(pilot, lambda: page.stage is not Stage.ASKING and page._drawn_s is not None, "drawn")
    await asyncio.sleep(GUARD_S)  # the time itself is what is waited for
    return page


async def opened(pilot: Pilot[None], *keys: str) -> PlanPage:
    await until_fed(pilot)
    await pilot.press(*(keys or ("a",)))
    return await until_ready(pilot)
