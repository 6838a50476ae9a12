"""`a` on Health: about the selected thing, with something to do on a good night too, never offered when not live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from screens.dialogs.act import ActPage
from screens.dialogs.maintenance import MaintenancePage
from screens.plan import PlanPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_fed, until_text
from tests.screens.planning import suggesting
from tests.screens.sample import well
from tests.screens.sample_alerts import FIRING, RULES, alerts
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk


async def test_on_a_good_night_it_lists_what_can_be_done(make_app: MakeApp) -> None:
    reads = ScriptedReads(make_health=well, make_alerts=lambda: alerts(firing=()))
    async with make_app(reads, desk=ScriptedDesk()).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, ActPage), "what can be done")
        await until_text(pilot, "No alert is firing. What can be done:")
        assert "roll back production" in text_of(pilot) and "maintenance on" in text_of(pilot)
        assert "Enter shows its plan, which changes nothing" in text_of(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "the plan")


async def test_a_maintenance_with_message_and_planned_end_is_among_it(make_app: MakeApp) -> None:
    reads, desk = ScriptedReads(make_health=well, make_alerts=lambda: alerts(firing=())), ScriptedDesk()
    async with make_app(reads, desk=desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("a")
        await until_text(pilot, "maintenance for a time")
        await pilot.press(*["down"] * 8, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, MaintenancePage), "what it asks for")
        await pilot.press(*"Back", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "the plan")
        assert desk.said("plan") == [("plan", "maintenance", {"on": True, "minutes": 30, "message": "Back"})]


async def test_it_is_about_the_component_that_is_selected(make_app: MakeApp) -> None:
    vendor = replace(FIRING[0], rule="vendor", subject="Supabase", text="Supabase reports trouble", severity="low")
    reads = ScriptedReads(make_health=well, make_alerts=lambda: alerts(firing=(vendor,)))
    async with make_app(reads, desk=ScriptedDesk()).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("j", "j", "j")
        await until_text(pilot, "▌database")
        await pilot.press("a")
        await until_text(pilot, "No alert of database is firing. What can be done:")
        await pilot.press("escape", "j", "j")
        await until_text(pilot, "▌supabase")
        await pilot.press("a")
        await until_text(pilot, "Supabase reports trouble")


@pytest.mark.parametrize("keys", [("p",), ("comma",)])
async def test_what_is_not_live_offers_no_act(make_app: MakeApp, keys: tuple[str, ...]) -> None:
    reads = ScriptedReads(make_health=suggesting)
    async with make_app(reads, desk=ScriptedDesk()).run_test(size=(80, 24)) as pilot:
        await until_text(pilot, "NEXT a ")
        assert "a act" in text_of(pilot, "#footer")
        await pilot.press(*keys)
        await until_text(pilot, "actions are off", "#notice")
        await until(pilot, lambda: "a act" not in text_of(pilot, "#footer"), "no act")
        assert "NEXT" in text_of(pilot) and "NEXT a " not in text_of(pilot)


async def test_the_alerts_page_begins_on_top_while_rules_change_places(make_app: MakeApp) -> None:
    rules = list(RULES)
    reads = ScriptedReads(make_health=well, make_alerts=lambda: alerts(firing=(), silences=(), rules=tuple(rules)))
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("9")
        await until_text(pilot, "▌errors-high")
        rules.insert(0, replace(rules.pop(), state="firing"))
        reads.number += 1
        await until_text(pilot, "▌egress")
        await pilot.press("j")
        await until_text(pilot, "▌errors-high")
        rules.append(replace(rules.pop(0), state="ok"))
        reads.number += 1
        await until(pilot, lambda: "egress               ✗" not in text_of(pilot), "over")
        assert "▌errors-high" in text_of(pilot), "where a person chose, the cursor stays"
