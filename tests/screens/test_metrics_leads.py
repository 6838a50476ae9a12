"""Where the marks of Metrics lead: a component, a deployment on its screen."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot

from screens.component import ComponentPage
from screens.deployments import DeploymentsScreen
from tests.screens.conftest import MakeApp
from tests.screens.driving import text_of, until, until_text
from tests.screens.sample import NOW, M
from tests.screens.sample_deployments import DEPLOYMENTS
from tests.screens.sample_metrics import MARKS, metrics
from tests.screens.scripted import ScriptedReads
from tests.screens.test_metrics import SMALL, at_metrics


def leading_to(*references: str) -> ScriptedReads:
    """Marks that lead there, a minute from each other, in place of the others."""
    made = tuple(replace(MARKS[2], at_ms=NOW - (9 - at) * M, reference=each) for at, each in enumerate(references))
    return ScriptedReads(make_metrics=lambda question, at_ms: replace(metrics(question, at_ms), marks=made))


async def test_enter_opens_the_component_of_a_mark(make_app: MakeApp) -> None:
    async with make_app(leading_to("database")).run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "m", "enter")
        await until(pilot, lambda: type(pilot.app.screen) is ComponentPage, "at the component")


async def test_enter_on_a_deployment_goes_to_it_on_its_screen(make_app: MakeApp) -> None:
    old = f"deployment:{DEPLOYMENTS[5].id}"
    async with make_app(leading_to(old, MARKS[2].reference)).run_test(size=SMALL) as pilot:
        for presses, wanted in ((1, MARKS[2].reference), (2, old)):
            await at_metrics(pilot, "escape", *["m"] * presses, "enter")
            await until(pilot, lambda key=wanted: chosen(pilot) == key, f"at {wanted}")  # type: ignore[misc]
            await until_text(pilot, "▌")
            assert DEPLOYMENTS[5 if wanted == old else 1].short in text_of(pilot).partition("▌")[2].splitlines()[0]


async def test_a_deployment_that_is_not_listed_is_told(make_app: MakeApp) -> None:
    async with make_app(leading_to("deployment:dpl_gone")).run_test(size=SMALL) as pilot:
        await at_metrics(pilot, "m", "enter")
        await until_text(pilot, "not among the 8 deployments listed: 8f3c1d2", "#footer")
        assert isinstance(pilot.app.screen, DeploymentsScreen)


def chosen(pilot: Pilot[None]) -> str | None:
    """The line selected on Deployments."""
    screen = pilot.app.screen
    return screen.selected if isinstance(screen, DeploymentsScreen) else None
