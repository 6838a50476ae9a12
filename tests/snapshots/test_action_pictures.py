"""Pictures of guarded actions: every stage of a plan, every outcome of a run, the journal, the ledger, a note."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot

from console.model.actions import Plan
from console.model.configuration import Display
from console.model.views import HealthView, OpenItem
from screens.confirming import Stage
from screens.plan import PlanPage
from screens.run import RunPage
from tests.screens.driving import page_of, until, until_fed, until_text
from tests.screens.sample import NOW, M, health
from tests.screens.sample_actions import (
    DESTRUCTIVE,
    DUE_ITEM,
    FAILING,
    FREEZE,
    INTERRUPTED,
    PINNED,
    RUNS,
    SAFE,
    no_actions,
    plan,
)
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk, ScriptedNotes
from tests.snapshots.conftest import Open
from tests.snapshots.test_pictures import ALL, BOTH, SMALL, Compare, Prepare, after, shown


@pytest.fixture(autouse=True)
def no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures need not wait for half a second."""
    monkeypatch.setattr("screens.confirming.GUARD_S", 0.0)


def suggesting(slices: int, events: int) -> HealthView:
    view = health(slices, events)
    assert view.verdict is not None
    header = replace(view.header, open_items=(INTERRUPTED, PINNED, FREEZE, DUE_ITEM, *view.header.open_items))
    return replace(view, header=header, verdict=replace(view.verdict, suggested=("rollback", {})))


def reads(**more: Any) -> ScriptedReads:
    return ScriptedReads(make_health=suggesting, **more)


def planned(*keys: str, stage: Stage = Stage.SHOWN, paste: str = "") -> Prepare:
    """The plan of what Health suggests; then keys."""

    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        await until_text(pilot, "OPERATOR", "#header")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, PlanPage), "the plan's page")
        page = pilot.app.screen
        assert isinstance(page, PlanPage)
        await until(pilot, lambda: page.stage is stage, f"is {stage}")
        await until(pilot, lambda: page._drawn_s is not None, "drawn")
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        if paste:
            pilot.app.post_message(Paste(paste))
            await until(pilot, lambda: bool(page.problem), "told")
        await pilot.pause()

    return prepare


def compared(compare: Compare, opened: Open, size: tuple[int, int], prepare: Prepare, **desk: Any) -> bool:
    return shown(compare, opened(None, reads=reads(), desk=ScriptedDesk(**desk)), size, prepare)


@ALL
def test_plan_that_warns(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned())


def _passes() -> Plan:
    made = plan(options=())
    return replace(made, checks=tuple(check for check in made.checks if check.result == "pass"))


@BOTH
def test_plan_that_passes(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned(), make_plan=_passes)


@ALL
def test_plan_that_fails_a_check(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned(), make_plan=lambda: FAILING)


@BOTH
def test_plan_while_asking(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    hang = threading.Event()
    assert compared(snap_compare, opened, size, planned(stage=Stage.ASKING), hang=hang)
    hang.set()


@BOTH
def test_plan_that_is_refused(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    words = "Vercel refuses the token (403 forbidden): renew VERCEL_TOKEN in the file beside radar.toml"
    assert compared(snap_compare, opened, size, planned(stage=Stage.REFUSED), refusal=words)


@BOTH
def test_plan_of_who_is_armed(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned("tab"), armed="errors 38 % since 8f3c1d2")


@BOTH
def test_plan_with_its_option_on(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        await planned("h")(pilot)
        await until_text(pilot, "cancel CI run #413")
        await pilot.pause()

    assert compared(snap_compare, opened, size, prepare)


@BOTH
def test_plan_with_the_reason_in_focus(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned("tab"))


@BOTH
def test_plan_typed_wrong(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned("tab", "enter", *"41ab9e1", "enter"))


@BOTH
def test_plan_typed_right(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned("tab", "enter", *"41ab9e0", "tab", "tab"))


@BOTH
def test_plan_with_a_paste_dropped(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned("tab", "enter", paste="41ab9e0"))


@BOTH
def test_plan_refused_at_its_confirmation(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        await planned("tab", "enter", *"41ab9e0", "enter")(pilot)
        await until_text(pilot, "has changed since", "#words")
        await pilot.pause()

    words = "what would be done has changed since you looked: look again, nothing was done"
    assert compared(snap_compare, opened, size, prepare, refuses=words)


@BOTH
@pytest.mark.parametrize("made", [SAFE, DESTRUCTIVE], ids=["safe", "destructive"])
def test_plan_of_another_risk(snap_compare: Compare, opened: Open, made: Plan, size: tuple[int, int]) -> None:
    assert compared(snap_compare, opened, size, planned(), make_plan=lambda: made)


@BOTH
def test_escape_card(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[None]) -> None:
        await planned("E")(pilot)
        await until_text(pilot, "ESCAPE CARD")
        await pilot.pause()

    assert compared(snap_compare, opened, size, prepare)


@pytest.mark.parametrize("theme", ["light", "ansi", "colour-blind"])
def test_plan_in_other_themes(snap_compare: Compare, opened: Open, theme: str) -> None:
    app = opened(None, reads=reads(), desk=ScriptedDesk(), display=Display(theme=theme))  # type: ignore[arg-type]
    assert shown(snap_compare, app, SMALL, planned("tab"))


def test_plan_in_ascii(snap_compare: Compare, opened: Open) -> None:
    app = opened(None, reads=reads(), desk=ScriptedDesk(), display=Display(glyphs="ascii"))
    assert shown(snap_compare, app, SMALL, planned())


def followed(token: str, role: str = "OPERATOR") -> Prepare:
    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        await until_text(pilot, role, "#header")
        await page_of(pilot).open_page(RunPage(token))
        await until_text(pilot, "STEPS")
        await pilot.pause()

    return prepare


@ALL
@pytest.mark.parametrize("token", list(RUNS))
def test_run(snap_compare: Compare, opened: Open, token: str, size: tuple[int, int]) -> None:
    assert shown(snap_compare, opened(None, reads=reads(), desk=ScriptedDesk()), size, followed(token))


def journal(*keys: str, text: str) -> Prepare:
    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        await until_text(pilot, "OPERATOR", "#header")
        await pilot.press(*keys)
        await until_text(pilot, text, "#body")
        await pilot.pause()

    return prepare


@BOTH
def test_journal(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(), desk=ScriptedDesk())
    assert shown(snap_compare, app, size, journal("o", "J", text="NOT DELIVERED"))


@BOTH
def test_journal_without_entries(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(make_actions=no_actions), desk=ScriptedDesk())
    assert shown(snap_compare, app, size, journal("o", "J", text="Nothing was done"))


@BOTH
def test_ledger_of_actions(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(), desk=ScriptedDesk())
    assert shown(snap_compare, app, size, journal("o", text="ends by"))


@BOTH
def test_health_armed(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    def armed(slices: int, events: int) -> HealthView:
        view = suggesting(slices, events)
        return replace(view, header=replace(view.header, armed_until_ms=NOW + 12 * M))

    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        await until_text(pilot, "armed", "#header")
        await pilot.pause()

    assert shown(snap_compare, opened(None, reads=ScriptedReads(make_health=armed), desk=ScriptedDesk()), size, prepare)


def test_note(snap_compare: Compare, opened: Open) -> None:
    app = opened(None, reads=reads(), desk=ScriptedDesk(), notes=ScriptedNotes())
    assert shown(snap_compare, app, SMALL, journal("i", *"db pool is full", "escape", text="Esc again"))


def test_plan_that_is_longer_than_the_page(snap_compare: Compare, opened: Open) -> None:
    assert compared(snap_compare, opened, (80, 18), planned())


def test_run_at_half_width(snap_compare: Compare, opened: Open) -> None:
    assert shown(
        snap_compare, opened(None, reads=reads(), desk=ScriptedDesk()), (64, 20), followed("worse", role="LIVE")
    )


@BOTH
def test_announcing_asks_when_and_what_people_are_told(
    snap_compare: Compare, opened: Open, size: tuple[int, int]
) -> None:
    app = opened(None, reads=reads(), desk=ScriptedDesk())
    assert shown(snap_compare, app, size, after("colon", *"announce", "enter", text="When should the maintenance"))


@BOTH
def test_a_maintenance_past_its_planned_end(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    def forgotten(slices: int, events: int) -> HealthView:
        view = suggesting(slices, events)
        left = OpenItem(kind="maintenance", text="of production: We are doing maintenance and will be back soon.",
                        owner="op1 (uid)", since_ms=NOW - 42 * M, expires_ms=NOW - 12 * M,
                        undo="radar maintenance off")  # fmt: skip
        return replace(view, header=replace(view.header, open_items=(*view.header.open_items, left)))

    app = opened(None, reads=ScriptedReads(make_health=forgotten), desk=ScriptedDesk())
    assert shown(snap_compare, app, size, after("o", text="12 m past"))
