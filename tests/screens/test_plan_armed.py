"""The reason that somebody is armed with: offered as such, never put on record unseen."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from console.model.actions import ActionRequest
from screens.plan import PlanPage, open_plan
from screens.run import RunPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed
from tests.screens.planning import app_with, plan_page, until_ready
from tests.screens.sample_actions import SAFE, plan
from tests.screens.scripted_desk import ScriptedDesk


async def offered(pilot: Pilot[None], reason: str = "") -> PlanPage:
    """The plan of what is armed for something else."""
    await until_fed(pilot)
    await open_plan(page_of(pilot), ActionRequest(action="maintenance", parameters={}), reason=reason)
    await until_ready(pilot)
    return plan_page(pilot)


@pytest.mark.parametrize(("typed", "given"), [((), "errors since 8f3c1d2"), (tuple("why"), "why")])
async def test_a_reason_given_for_something_else_is_offered_as_such(
    make_app: MakeApp, typed: tuple[str, ...], given: str
) -> None:
    desk = ScriptedDesk(armed="errors since 8f3c1d2")
    async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
        page = await offered(pilot)
        assert text_of(pilot, "#reason-label").strip() == "REASON  armed with:" and page.reason.value
        await pilot.press("tab", *typed)
        kept = "armed with that reason: enter keeps it, type to replace it"
        assert (kept in text_of(pilot, "#words")) is not bool(typed)
        assert text_of(pilot, "#reason-label").strip() == ("REASON" if typed else "REASON  armed with:")
        await pilot.press("enter", *"41ab9e0", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunPage), "the run's page")
    assert desk.said("confirm") == [("confirm", given, "41ab9e0")]


async def test_an_undo_begins_with_what_it_undoes_and_what_is_safe_with_nothing(make_app: MakeApp) -> None:
    for made, reason in ((plan, "undo of run 12: errors"), (lambda: SAFE, "")):
        desk = ScriptedDesk(armed="errors since 8f3c1d2", make_plan=made)
        async with app_with(make_app, desk).run_test(size=(80, 24)) as pilot:
            page = await offered(pilot, reason)
            assert page.reason.value == reason and "armed" not in text_of(pilot, "#reason-label")
