"""Pictures of Deployments in every state: the list, a deployment, a run, and the ends of their logs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from console.model.configuration import Display
from console.model.deployments import DeploymentsView
from console.model.states import State
from screens.deployments import DeploymentsScreen
from tests.screens.driving import page_of, until, until_fed, until_text
from tests.screens.sample import NOW, D, H, M, S, header
from tests.screens.sample_deployments import BAD, GOOD, ScriptedInquiries, deployments, pinned
from tests.screens.scripted import ScriptedReads
from tests.screens.scripted_desk import ScriptedDesk
from tests.snapshots.conftest import Open
from tests.snapshots.test_pictures import ALL, BOTH, MIDDLE, SMALL, Compare, Prepare, after, shown

FAILED_BUILD = "deployment:dpl_d20f9aaQz81kXo"
FAILED_RUN = "run:19000000411"


def nothing(words: str = "", runs_words: str = "", seen: int | None = None) -> DeploymentsView:
    return deployments(
        deployments=(), runs=(), deployments_words=words, runs_words=runs_words, auto_assign=None,
        deployments_ms=None if seen is None else NOW - seen, runs_ms=None if seen is None else NOW - seen,
    )  # fmt: skip


def many() -> DeploymentsView:
    """Months of deployments: older ones are folded away."""
    old = tuple(
        replace(
            GOOD, id=f"dpl_{at}", short=f"{0x51ab9e0 + 77777 * at:07x}", message=f"change number {300 - at}",
            created_ms=NOW - (13 + at) * D, live_ms=NOW - (13 + at) * D, until_ms=NOW - (12 + at) * D, effects=(),
        )
        for at in range(14)
    )  # fmt: skip
    return deployments(deployments=(*deployments().deployments, *old))


STATES: dict[str, Callable[[], DeploymentsView]] = {
    "full": deployments,
    "many": many,
    "pinned": pinned,
    "by-choice": lambda: deployments(auto_assign=False),
    "not-told": lambda: deployments(auto_assign=None),
    "rolling-release": lambda: deployments(rolling_release=True),
    "empty": nothing,
    "not-configured": lambda: nothing(
        "Vercel is not configured: [environments.production.vercel] with project and token in the settings reads it.",
        "No run is on record: [environments.production.github] with repository and token in the settings reads them.",
    ),
    "forbidden": lambda: deployments(
        deployments_words="Vercel answers 403: Not authorized, since 02:41:10 UTC",
        runs_words="GitHub answers 404: this token may not see tabletalk/radar, or there is no such thing",
        deployments_ms=NOW - 31 * M, runs_ms=NOW - 2 * H,
    ),
    "failed": lambda: nothing(
        "no answer within 10 s, since 03:02:11 UTC", "429: rate limited, since 03:09:58 UTC", seen=40 * M
    ),
    "stale": lambda: deployments(
        header=header(State.STALE), deployments_words="not polled since 02:48:02 UTC",
        runs_words="not polled since 02:47:51 UTC", deployments_ms=NOW - 24 * M, runs_ms=NOW - 25 * M,
    ),
    "gone": lambda: deployments(
        deployments=(BAD,), runs=(), deployments_ms=NOW - 9 * S, runs_ms=NOW - 20 * S,
        deployments_words="lists are kept for 48 hours: those of that moment are gone",
        runs_words="lists are kept for 48 hours: those of that moment are gone",
    ),
}  # fmt: skip


def reads(view: DeploymentsView) -> ScriptedReads:
    return ScriptedReads(make_deployments=lambda: view)


def selecting(key: str, *keys: str, text: str) -> Prepare:
    """The page with that line selected; then keys, until the text is there."""

    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        await pilot.press("5")
        await until_text(pilot, "CI RUNS")
        page = page_of(pilot)
        assert isinstance(page, DeploymentsScreen)
        await pilot.press("g", "g")
        for _ in range(30):
            if page.selected != key:
                await pilot.press("j")
        assert page.selected == key
        await pilot.press(*keys)
        await until_text(pilot, text)

    return prepare


@ALL
@pytest.mark.parametrize("state", STATES)
def test_deployments(snap_compare: Compare, opened: Open, state: str, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(STATES[state]()), desk=ScriptedDesk(), inquiries=ScriptedInquiries())
    assert shown(snap_compare, app, size, after("5", text="CI RUNS"))


@BOTH
def test_loading(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    hanging = reads(deployments())
    app = opened(None, reads=hanging)

    async def prepare(pilot: Pilot[None]) -> None:
        await until_fed(pilot)
        hanging.hang = threading.Event()
        await pilot.press("5")
        await until_text(pilot, "reading the store")

    assert shown(snap_compare, app, size, prepare)
    assert hanging.hang is not None
    hanging.hang.set()


@BOTH
def test_the_store_cannot_be_read(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    broken = reads(deployments())
    broken.trouble = "observed.db: disk I/O error; move it away and radar begins anew"
    app = opened(None, reads=broken)
    assert shown(snap_compare, app, size, after("5", text="The store cannot be read"))


@BOTH
def test_in_the_past(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(deployments()), at_ms=NOW - 5 * M)
    assert shown(snap_compare, app, size, after("5", text="CI RUNS"))


@ALL
def test_a_deployment(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(deployments()), desk=ScriptedDesk(), inquiries=ScriptedInquiries())
    assert shown(snap_compare, app, size, selecting(f"deployment:{BAD.id}", "enter", text="15 MIN BEFORE"))


@ALL
def test_a_build_log(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(deployments()), desk=ScriptedDesk(), inquiries=ScriptedInquiries())
    assert shown(snap_compare, app, size, selecting(FAILED_BUILD, "l", text="Property 'cover' does not"))


@ALL
def test_a_run_that_failed(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(deployments()), desk=ScriptedDesk(), inquiries=ScriptedInquiries())
    assert shown(snap_compare, app, size, selecting(FAILED_RUN, "enter", text="commented out in the workflow"))


@ALL
def test_the_log_of_a_stage(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(deployments()), desk=ScriptedDesk(), inquiries=ScriptedInquiries())
    assert shown(snap_compare, app, size, selecting(FAILED_RUN, "l", text="Process completed with exit code 1."))


@BOTH
def test_no_log(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    refusing = ScriptedInquiries("GitHub has no log of this job: it has expired, or has not been written yet")
    app = opened(None, reads=reads(deployments()), inquiries=refusing)
    assert shown(snap_compare, app, size, selecting(FAILED_RUN, "l", text="not read: GitHub has no log"))


@BOTH
def test_what_to_ask_for(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(deployments()), desk=ScriptedDesk())
    assert shown(snap_compare, app, size, selecting(f"deployment:{BAD.id}", "a", text="what should be planned?"))


@BOTH
def test_filtered(snap_compare: Compare, opened: Open, size: tuple[int, int]) -> None:
    app = opened(None, reads=reads(deployments()))
    assert shown(snap_compare, app, size, after("5", "slash", *"pricing", text="1 of 6"))


@pytest.mark.parametrize("theme", ["light", "ansi", "colour-blind"])
def test_in_themes(snap_compare: Compare, opened: Open, theme: str) -> None:
    display = Display(theme=theme)  # type: ignore[arg-type]
    app = opened(None, reads=reads(pinned()), display=display)
    assert shown(snap_compare, app, SMALL, after("5", text="CI RUNS"))


def test_in_ascii(snap_compare: Compare, opened: Open) -> None:
    app = opened(None, reads=reads(pinned()), display=Display(glyphs="ascii"), inquiries=ScriptedInquiries())
    assert shown(snap_compare, app, MIDDLE, selecting(FAILED_RUN, text="CI RUNS"))


async def test_the_pictures_are_of_the_page_itself(opened: Open) -> None:
    """The counter-test: without the key no picture of it would come about."""
    app = opened(None, reads=reads(deployments()))
    async with app.run_test(size=SMALL) as pilot:
        await until_fed(pilot)
        assert not isinstance(page_of(pilot), DeploymentsScreen)
        await pilot.press("5")
        await until(pilot, lambda: isinstance(page_of(pilot), DeploymentsScreen), "there")
