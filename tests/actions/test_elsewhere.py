"""Journal and locks hold on one host: every plan that changes something says what protects against another one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from console.actions.base import CHANGES_DEPLOYMENT
from console.actions.messages import Opening
from console.actions.parts import context_of
from console.actions.preflight import common_checks, elsewhere_check
from console.model.actions import CheckResult, Plan, Risk, RunOutcome, Step, StepKind
from console.model.operations import Maintenance
from console.store.journal import Journal
from console.store.records import identity
from tests.actions.place import Place, place

REMOTE = "no other run here; against any other bastion only remote state protects"
LOCK = "no other run here; any other bastion: advisory lock and remote state only"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return place(tmp_path, monkeypatch)


def plan(action: str = "rollback", *, kind: StepKind = StepKind.CHANGE, exclusion: str | None = "x") -> Plan:
    return Plan(
        action=action, title="t", environment="test", target="t", short_id="t", risk=Risk.DISRUPTIVE, checks=(),
        exclusion=exclusion, steps=(Step(key="ask", kind=kind, words="ask"),),
    )  # fmt: skip


def told(here: Place, of: Plan, provider: str = "") -> list[str]:
    context, _ = context_of(Opening(environment="test", file=str(here.settings.file)))
    if provider:
        maintenance = Maintenance(provider=provider)  # type: ignore[arg-type]  # one of its words
        context = dataclasses.replace(
            context, operations=dataclasses.replace(context.operations, maintenance=maintenance)
        )
    found = elsewhere_check(context, of)
    assert all(check.result is CheckResult.PASS for check in found), "told, not shouted"
    return [check.words for check in found]


def test_a_plan_that_changes_something_says_it(here: Place) -> None:
    assert told(here, plan(exclusion=CHANGES_DEPLOYMENT)) == [REMOTE]
    assert told(here, plan("maintenance"), "edge-config") == [REMOTE]
    assert told(here, plan("maintenance"), "database") == told(here, plan("maintenance-table"), "database") == [LOCK]
    assert told(here, plan("rollback"), "database") == [REMOTE], "only maintenance takes that lock"


def test_what_changes_nothing_or_excludes_nothing_does_not(here: Place) -> None:
    assert told(here, plan(kind=StepKind.RECORD)) == told(here, plan(exclusion=None)) == []


def test_the_runner_says_it_in_one_line_at_eighty_columns(here: Place) -> None:
    ticket = here.desk.plan(here.request())
    ticket.leave()
    assert [check.words for check in ticket.plan.checks if check.key == "elsewhere"] == [REMOTE]
    assert max(len(REMOTE), len(LOCK)) <= 80 - 6


def test_it_gives_way_to_a_run_that_is_in_the_way(here: Place) -> None:
    token = here.desk.plan(here.request(ask="wait")).confirm(reason="why", typed="f1f1f1f")
    context, person = context_of(Opening(environment="test", file=str(here.settings.file)))
    checks = common_checks(context, person, Journal(context.records, identity()), plan(exclusion="files"))
    assert [check.key for check in checks if check.key in ("exclusion", "elsewhere")] == ["exclusion"]
    (here.remote / "go").touch()
    view = here.ended(token)
    assert view.run is not None and view.run.outcome is RunOutcome.DONE
