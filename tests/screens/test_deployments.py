"""The Deployments page: what is shown, where the cursor goes, what can be asked for, the ends of logs."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import RadarApp
from console.model.deployments import PAGE, STAGES, DeploymentsView
from console.model.inquiries import LogEnd
from console.model.ports import Refused
from screens.deployments import DeploymentPage, DeploymentsScreen, RunDetailPage
from screens.dialogs.choose import ChoosePage
from screens.plan import PlanPage
from tests.screens.conftest import MakeApp
from tests.screens.driving import page_of, text_of, until, until_fed, until_text
from tests.screens.sample import NOW
from tests.screens.sample_deployments import BAD, GOOD, ScriptedInquiries, build_log, deployments, pinned
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk
from widgets.deployment_lines import LETTERS, SHORT_NAMES


def app_of(make_app: MakeApp, view: DeploymentsView | None = None, **more: Any) -> RadarApp:
    shown = view or deployments()
    return make_app(ScriptedReads(make_deployments=lambda: shown), **more)


async def opened(pilot: Pilot[None], *keys: str) -> None:
    await until_fed(pilot)
    await pilot.press("5")
    await until_text(pilot, "CI RUNS")
    await pilot.press(*keys)


def selected(pilot: Pilot[None]) -> str | None:
    page = page_of(pilot)
    assert isinstance(page, DeploymentsScreen)
    return page.selected


async def select(pilot: Pilot[None], key: str) -> None:
    """Walk to a line as a person would."""
    await pilot.press("g", "g")
    for _ in range(40):
        if selected(pilot) == key:
            return
        await pilot.press("j")
    raise AssertionError(f"{key} is not on the page:\n{text_of(pilot)}")


async def test_five_opens_it_with_both_sections_on_one_screen(make_app: MakeApp) -> None:
    async with app_of(make_app).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        body = text_of(pilot, "#body")
        assert "PRODUCTION 6" in body and re.search(r"● current   8f3c1d2 +\d+ m  op1  118→1,840", body), body
        assert "✗ failed    #411.2" in body and "··x∅------" in body
        assert "5 Dep" in text_of(pilot, "#footer")


async def test_what_is_not_as_usual_stands_first(make_app: MakeApp) -> None:
    async with app_of(make_app, replace(pinned(), rolling_release=True)).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "g", "g")
        first = text_of(pilot, "#body").splitlines()[:3]
        assert first[0].startswith(" ! PINNED by op2's rollback")
        assert first[1].startswith(" ! ROLLING RELEASE") and first[2].startswith(" ! DEPLOY FREEZE till 03:59 by op2")
    async with app_of(make_app).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert " ! " not in text_of(pilot, "#body")


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200])
async def test_whose_it_is_and_how_old_stands_before_what_can_be_cut(make_app: MakeApp, width: int) -> None:
    long = "a change whose message is far longer than any list has room for, however wide the terminal may well be"
    rows = tuple(replace(row, message=long) for row in deployments().deployments)
    async with app_of(make_app, replace(deployments(), deployments=rows)).run_test(size=(width, 24)) as pilot:
        await opened(pilot)
        lines = text_of(pilot, "#body").splitlines()
        (line,) = (each for each in lines if "8f3c1d2" in each and "current" in each[:14])
        assert re.search(r"8f3c1d2 +\d+ \w(?: +\d+ \w)?  op1  ", line) and "a change whose" in line


async def test_a_page_of_a_list_is_not_told_as_a_count(make_app: MakeApp) -> None:
    view = deployments()
    first = next(row for row in view.deployments if row.target == "production" and not row.current)
    many = tuple(replace(first, id=f"dpl_{number}", short=f"c0ffee{number}") for number in range(PAGE))
    full = replace(view, deployments=many, runs=tuple(replace(view.runs[0], id=each) for each in range(PAGE)))
    async with app_of(make_app, full).run_test(size=(80, 80)) as pilot:
        await opened(pilot)
        body = text_of(pilot, "#body")
        assert f"PRODUCTION newest {PAGE}" in body and f"CI RUNS newest {PAGE}" in body
        await pilot.press("f")
        await until_text(pilot, "older ones are not read: Vercel lists them")


def test_every_stage_has_a_letter_of_its_own() -> None:
    assert len(set(LETTERS)) == len(set(SHORT_NAMES)) == len(LETTERS) == len(SHORT_NAMES) == len(STAGES)


@pytest.mark.parametrize(("width", "over"), [(80, True), (160, False)])
async def test_enter_opens_the_detail_and_beside_the_list_it_stands_already(
    make_app: MakeApp, width: int, over: bool
) -> None:
    async with app_of(make_app).run_test(size=(width, 48)) as pilot:
        await opened(pilot)
        await select(pilot, f"deployment:{GOOD.id}")
        assert ("15 MIN BEFORE" in text_of(pilot, "#body")) is not over
        await pilot.press("enter")
        await until_text(pilot, "15 MIN BEFORE")
        assert isinstance(page_of(pilot), DeploymentPage)
        assert "can be rolled back to" in text_of(pilot, "#body") and "121 ms" in text_of(pilot, "#body")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(page_of(pilot), DeploymentsScreen), "back")


async def test_a_run_is_laid_on_the_ten_stages_with_the_step_that_failed(make_app: MakeApp) -> None:
    async with app_of(make_app).run_test(size=(80, 30)) as pilot:
        await opened(pilot)
        await select(pilot, "run:19000000411")
        await pilot.press("enter")
        await until_text(pilot, "STAGE")
        body = " ".join(text_of(pilot, "#body").split())
        assert isinstance(page_of(pilot), RunDetailPage)
        assert "security scan ∅ absent commented out in the workflow" in body
        assert "▌integration tests x failed 3:08 npm run test:integration" in body
        assert "deploy production - skipped" in body


async def test_the_cursor_survives_a_refresh_that_moves_its_line(make_app: MakeApp) -> None:
    reads = ScriptedReads(make_deployments=deployments)
    async with make_app(reads).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await select(pilot, f"deployment:{GOOD.id}")
        newer = replace(GOOD, id="dpl_new", short="newest1", created_ms=NOW)
        reads.make_deployments = lambda: deployments(deployments=(newer, *deployments().deployments))
        reads.number += 1
        await until_text(pilot, "newest1")
        assert selected(pilot) == f"deployment:{GOOD.id}"


async def test_e_goes_from_problem_to_problem_and_says_when_there_is_none(make_app: MakeApp) -> None:
    async with app_of(make_app).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "g", "g", "e")
        assert str(selected(pilot)).startswith("deployment:dpl_d20f9aa")
        await pilot.press("e")
        assert selected(pilot) == "run:19000000411"
        await pilot.press("E")
        assert str(selected(pilot)).startswith("deployment:dpl_d20f9aa")
    async with app_of(make_app, deployments(deployments=(BAD,), runs=())).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "e")
        await until_text(pilot, "no deployment and no run has a problem")


async def test_a_filter_narrows_both_sections_and_esc_drops_it(make_app: MakeApp) -> None:
    async with app_of(make_app).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "slash", *"pricing")
        await until_text(pilot, "PRODUCTION 1 of 6")
        assert "CI RUNS 1 of 6" in text_of(pilot, "#body") and "41ab9e0" not in text_of(pilot, "#body")
        await pilot.press("enter", "escape")
        await until_text(pilot, "41ab9e0")
        await pilot.press("slash", *"nothing has this")
        await until_text(pilot, "DEPLOYMENTS 0 of 8")


async def test_older_ones_are_folded_and_f_shows_them(make_app: MakeApp) -> None:
    many = tuple(replace(GOOD, id=f"dpl_{at}", short=f"old{at:04}", created_ms=NOW - at) for at in range(18))
    old = replace(BAD, short="ancient", created_ms=1)
    async with app_of(make_app, deployments(deployments=(*many, old))).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        body = text_of(pilot, "#body")
        assert "ancient" in body, "the current one is never folded"
        assert "12 older ones: f shows all" in body and "old0011" not in body
        await pilot.press("f", "G")
        await until(pilot, lambda: "old0017" in text_of(pilot, "#body"), "shown")


# Acting


async def test_a_asks_for_the_plan_of_the_one_thing_to_do(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_of(make_app, desk=desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await select(pilot, f"deployment:{GOOD.id}")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(page_of(pilot), PlanPage), "the plan")
        await until(pilot, lambda: desk.done == [("plan", "rollback", {"to": GOOD.id})], "asked")


async def test_of_several_things_one_is_chosen_first(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_of(make_app, desk=desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await select(pilot, f"deployment:{BAD.id}")
        await pilot.press("a")
        await until_text(pilot, "8f3c1d2: what should be planned?")
        assert isinstance(page_of(pilot), ChoosePage) and desk.done == []
        await pilot.press("j", "j", "enter")
        await until(
            pilot,
            lambda: desk.done == [("plan", "deploy", {"target": "production", "ref": "main"})],
            "asked",
        )


async def test_leaving_the_choice_asks_for_nothing(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_of(make_app, desk=desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await select(pilot, "run:19000000411")
        await pilot.press("a")
        await until_text(pilot, "run the failed jobs of #411 again")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(page_of(pilot), DeploymentsScreen), "back")
        assert desk.done == []


async def test_what_cannot_be_done_is_said_and_in_the_past_nothing_can(make_app: MakeApp) -> None:
    desk = ScriptedDesk()
    async with app_of(make_app, desk=desk).run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await select(pilot, "deployment:dpl_d20f9aaQz81kXo")
        await pilot.press("a")
        await until_text(pilot, "d20f9aa: there is nothing to do: its build failed")
        await pilot.press("comma")
        await until_text(pilot, "AT ")
        await pilot.press("a")
        await until_text(pilot, "actions are off")
        assert desk.done == []


# Logs


async def test_l_reads_the_end_of_the_failed_stages_log(make_app: MakeApp) -> None:
    inquiries = ScriptedInquiries()
    async with app_of(make_app, inquiries=inquiries).run_test(size=(80, 60)) as pilot:
        await opened(pilot)
        await select(pilot, "run:19000000411")
        await pilot.press("l")
        await until_text(pilot, "not ok 31 audits of a venue without a price")
        assert "LOG OF INTEGRATION TESTS  logs.example.com, read" in text_of(pilot, "#body")
        assert inquiries.asked == [41102]
        await pilot.press("k", "l")  # the stage above
        await until(pilot, lambda: inquiries.asked == [41102, 41101], "the other stage's log")


async def test_beside_the_list_the_log_is_read_where_one_is(make_app: MakeApp) -> None:
    inquiries = ScriptedInquiries()
    async with app_of(make_app, inquiries=inquiries).run_test(size=(160, 48)) as pilot:
        await opened(pilot)
        await select(pilot, "deployment:dpl_d20f9aaQz81kXo")
        await pilot.press("l")
        await until_text(pilot, "Property 'cover' does not exist")
        assert isinstance(page_of(pilot), DeploymentsScreen)
        assert inquiries.asked == ["dpl_d20f9aaQz81kXo"]


async def test_why_there_is_no_log_stays_on_the_page(make_app: MakeApp) -> None:
    inquiries = ScriptedInquiries(refusal="GitHub has no log of this job: it has expired")
    async with app_of(make_app, inquiries=inquiries).run_test(size=(80, 40)) as pilot:
        await opened(pilot)
        await select(pilot, "run:19000000412")
        await pilot.press("l")
        await until_text(pilot, "not read: GitHub has no log of this job: it has expired")
    async with app_of(make_app).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "l")
        await until_text(pilot, "started without inquiries")


class Waiting(ScriptedInquiries):
    """Reads until it is given up."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def build_log(self, deployment_id: str) -> LogEnd:
        self.asked.append(deployment_id)
        if self.over.wait(10):
            raise Refused("given up")
        return build_log(deployment_id)

    def cancel(self) -> None:
        super().cancel()
        self.over.set()


async def test_esc_gives_up_a_log_and_a_plan_does_not_wait_for_one(make_app: MakeApp) -> None:
    inquiries, desk = Waiting(), ScriptedDesk()
    async with app_of(make_app, inquiries=inquiries, desk=desk).run_test(size=(160, 48)) as pilot:
        await opened(pilot)
        await select(pilot, f"deployment:{GOOD.id}")
        await pilot.press("l")
        await until_text(pilot, "reading its end; esc gives up")
        await pilot.press("escape")
        await until_text(pilot, "not read: given up")
        assert isinstance(page_of(pilot), DeploymentsScreen)
        inquiries.over.clear()
        await pilot.press("l")
        await until(pilot, lambda: len(inquiries.asked) == 2, "asked again")
        await pilot.press("a")
        await until(pilot, lambda: bool(desk.done), "planned")
        assert inquiries.cancelled == 2


async def test_from_180_columns_a_third_column_tells_what_changed_lately(make_app: MakeApp) -> None:
    async with app_of(make_app).run_test(size=(180, 24)) as pilot:
        await opened(pilot)
        body = text_of(pilot, "#body")
        assert "LATELY" in body and "  3 h ● Put production into" in body and "15 MIN BEFORE" in body
    async with app_of(make_app).run_test(size=(179, 24)) as pilot:
        await opened(pilot)
        assert "LATELY" not in text_of(pilot, "#body")


async def test_an_effect_by_whole_hours_says_so_and_why_a_side_is_not_known(make_app: MakeApp) -> None:
    async with app_of(make_app).run_test(size=(160, 48)) as pilot:
        await opened(pilot)
        assert "104→?       0.1→?     users 1 h" in text_of(pilot, "#body")
        await select(pilot, "deployment:dpl_0a91f3dQz81kXo")
        body = text_of(pilot, "#body")
        assert "1 H BEFORE" in body and "by whole hours: of that time no minutes are on record" in body
        assert "? after: only hours are kept of that time" in body
        await select(pilot, f"deployment:{GOOD.id}")
        assert "1 H BEFORE" not in text_of(pilot, "#body") and "15 MIN BEFORE" in text_of(pilot, "#body")


async def test_a_kept_filter_is_told_with_what_ends_it(make_app: MakeApp) -> None:
    async with app_of(make_app).run_test(size=(80, 24)) as pilot:
        await opened(pilot, "slash", *"pricing")
        assert "enter keep the filter" in text_of(pilot, "#footer")
        await pilot.press("enter")
        assert 'esc ends the filter "pricing"' in text_of(pilot, "#footer")
        await pilot.press("escape")
        assert 'filter "' not in text_of(pilot, "#footer")
