"""A run is followed by the journal, undone, gone on with; ledger and journal lead to it. Nothing more is claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from console.model.views import HealthView, OpenItem
from screens.actions import ActionsPage
from screens.ledger import LedgerPage
from screens.plan import PlanPage
from screens.run import RunPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.sample import NOW, M, health
from tests.screens.sample_actions import DUE_ITEM, FREEZE, INTERRUPTED, PINNED, RUNS, no_actions
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk


async def opened(pilot: Pilot[None], token: str) -> RunPage:
    await until_fed(pilot)
    page = RunPage(token)
    await page_of(pilot).open_page(page)
    await until_text(pilot, "RUN 7")
    return page


def leaving(*items: OpenItem) -> ScriptedReads:
    """A store whose header holds these open items."""

    def made(slices: int, events: int) -> HealthView:
        view = health(slices, events)
        return replace(view, header=replace(view.header, open_items=items))

    return ScriptedReads(make_health=made)


async def test_a_run_is_followed_as_the_journal_grows(make_app: MakeApp) -> None:
    shown = ["running"]
    reads = ScriptedReads(make_run=lambda token: RUNS[shown[0]])
    app = make_app(reads, desk=ScriptedDesk())
    async with app.run_test(size=(80, 36)) as pilot:
        app.begun.add("t")
        await opened(pilot, "t")
        assert "in progress at Vercel, asked 4 times" in text_of(pilot) and "not begun" in text_of(pilot)
        assert "the run goes on without it" in text_of(pilot) and app.begun == {"t"}
        shown[0] = "done"
        reads.number += 1
        await until_text(pilot, "All steps done.")
        assert "3 of 3 rounds good" in text_of(pilot) and "under way" not in text_of(pilot)
        assert app.begun == set(), "it holds up no quitting any more"


@pytest.mark.parametrize(
    ("token", "told", "never"),
    [
        ("worse", ["Done, but worse than before", "undo it: radar promote"], ["All steps done. "]),
        ("failed", ["Vercel says failed", "not begun"], ["NOT TOLD"]),
        ("not done", ["nothing was changed"], ["undo it"]),
        ("unknown", ["Unknown whether it was done", "R go on"], ["undo it", "took"]),
        ("interrupted", ["its runner is gone".capitalize(), "begun, end unknown", "R go on"], ["under way", "undo it"]),
        ("tell failed", ["failed, the rest went on", "NOT TOLD", "undo it"], []),
        ("done", ["OPEN NOW", "PINNED", "later pushes do not go live"], ["unknown"]),
    ],
)
async def test_no_end_is_told_as_more_than_it_is(
    make_app: MakeApp, token: str, told: list[str], never: list[str]
) -> None:
    async with make_app(desk=ScriptedDesk()).run_test(size=(120, 40)) as pilot:
        await opened(pilot, token)
        shown = text_of(pilot, "#body")
        assert [text for text in told if text not in shown] == []
        assert [text for text in never if text in shown] == []


async def test_undo_opens_the_plan_of_what_undoes_it(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "worse")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "the plan")
        await until(pilot, lambda: bool(desk.said("plan")), "asked")
    assert desk.said("plan") == [("plan", "promote", {"to": "dpl_8f3c1d2"})]


@pytest.mark.parametrize(("token", "words"), [("running", "not at its end"), ("not done", "nothing to undo")])
async def test_what_cannot_be_undone_says_so(make_app: MakeApp, token: str, words: str) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot, token)
        await pilot.press("u")
        await until_text(pilot, words, "#footer")
        await pilot.press("R")
        await until_text(pilot, "only an interrupted run", "#footer")
    assert desk.done == []


@pytest.mark.parametrize("token", ["interrupted", "unknown"])
async def test_a_run_without_an_end_is_gone_on_with_by_a_plan_of_the_rest(make_app: MakeApp, token: str) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot, token)
        await pilot.press("R")
        await until(pilot, lambda: bool(desk.said("resume")), "asked")
        await until_text(pilot, "STEPS")
    assert desk.said("resume") == [("resume", token)]


async def test_the_journal_opens_runs_and_calls_off_what_is_due(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with make_app(desk=desk).run_test(size=(120, 40)) as pilot:
        await until_fed(pilot)
        await pilot.press("colon", *"actions", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ActionsPage), "the journal")
        await until_text(pilot, "NOT DELIVERED 2")
        shown = text_of(pilot, "#body")
        assert shown.index("OPEN 2") < shown.index("DUE 2") < shown.index("DONE 5")
        assert "in 50 m" in shown and "missed" in shown
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunPage), "the run")
        await pilot.press("escape", "j", "j", "enter")
        await until(pilot, lambda: bool(desk.said("plan")), "asked")
    assert desk.said("plan") == [("plan", "cancel-due", {"due": 3})]


async def test_an_empty_journal_says_what_would_fill_it(make_app: MakeApp) -> None:
    async with make_app(ScriptedReads(make_actions=no_actions)).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("o", "J")
        await until_text(pilot, "Nothing was done by this console yet")
        await pilot.press("enter")
        await until_text(pilot, "nothing to open", "#footer")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (PINNED, ("plan", "promote", {"to": "dpl_8f3c1d2"})),
        (FREEZE, ("plan", "freeze", {"on": False})),
        (DUE_ITEM, ("plan", "cancel-due", {"due": 3})),
    ],
)
async def test_an_entry_of_the_ledger_opens_the_plan_that_undoes_it(
    make_app: MakeApp, item: OpenItem, said: tuple[object, ...]
) -> None:
    desk = ScriptedDesk()
    async with make_app(leaving(item), desk=desk).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, LedgerPage), "the ledger")
        assert f"ends by: {item.undo}" in text_of(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: bool(desk.done), "asked")
    assert desk.done[0] == said


async def test_an_interrupted_run_in_the_ledger_opens_the_run(make_app: MakeApp) -> None:
    async with make_app(leaving(INTERRUPTED), desk=ScriptedDesk()).run_test(size=(80, 24)) as pilot:
        await until_fed(pilot)
        assert "INTERRUPTED run 7" in text_of(pilot, "#notice")
        await pilot.press("o", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunPage), "the run")


async def test_role_and_armed_time_stand_in_the_header(make_app: MakeApp) -> None:
    def armed(slices: int, events: int) -> HealthView:
        view = health(slices, events)
        return replace(view, header=replace(view.header, armed_until_ms=NOW + 12 * M))

    for width, words in ((80, "armed 12 m"), (120, "OPERATOR armed 12 m")):
        reads = ScriptedReads(make_health=armed)
        async with make_app(reads, desk=ScriptedDesk()).run_test(size=(width, 24)) as pilot:
            await until_fed(pilot)
            await until_text(pilot, words, "#header")
            assert "LIVE 03:12" in text_of(pilot, "#header")
    async with make_app().run_test(size=(120, 24)) as pilot:
        await until_fed(pilot)
        assert "OPERATOR" not in text_of(pilot, "#header"), "a console without a desk claims no role"


@pytest.mark.parametrize("how", ["interrupted", "unknown"])
async def test_a_run_that_nobody_can_go_on_with_is_closed_by_a_key_and_a_reason(make_app: MakeApp, how: str) -> None:
    desk = ScriptedDesk()
    async with make_app(ScriptedReads(make_run=lambda token: RUNS[how]), desk=desk).run_test(size=(80, 36)) as pilot:
        await opened(pilot, "t")
        assert "close it by hand" in text_of(pilot) and "c close" in text_of(pilot, "#footer")
        await pilot.press("c")
        await until_text(pilot, "Nothing is changed outside")
        await pilot.press("enter")
        await until_text(pilot, "A reason is needed")
        assert desk.done == []
        await pilot.press(*"gone", "enter")
        await until_text(pilot, "run 7 is closed by hand", "#footer")
    assert desk.done == [("close", "t", "gone")]


async def test_what_is_over_or_goes_on_is_not_closed(make_app: MakeApp) -> None:
    """The counter-test."""
    for how in ("done", "running"):
        desk = ScriptedDesk()
        reads = ScriptedReads(make_run=lambda token, how=how: RUNS[how])  # type: ignore[misc]
        async with make_app(reads, desk=desk).run_test(size=(80, 36)) as pilot:
            await opened(pilot, "t")
            assert "c close" not in text_of(pilot, "#footer")
            await pilot.press("c")
            await until_text(pilot, "is closed by hand", "#footer")
        assert desk.done == []
