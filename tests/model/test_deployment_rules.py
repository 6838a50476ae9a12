"""What is said of a deployment, and what can be done about it."""

from __future__ import annotations

from typing import Any

import pytest

from console.model.deployment_rules import (
    assign_words,
    deeds_for_deployment,
    deeds_for_run,
    eligible_words,
    problem,
    why_not,
    worse,
)
from console.model.deployments import CiRunRow, DeploymentRow, DeploymentsView, Effect
from console.model.observation import Origin
from tests.screens.sample import header

READY: dict[str, Any] = {"state": "ready", "target": "production", "candidate": True, "ever_live": True}


def row(name: str = "old", created: int = 1, **more: Any) -> DeploymentRow:
    given: dict[str, Any] = {
        "id": f"dpl_{name}", "short": name, "message": "", "author": None, "target": "production", "state": "ready",
        "created_ms": created, "live_ms": created, "current": False, "candidate": True,
    }  # fmt: skip
    return DeploymentRow(**given | more)


CURRENT = row("now", 5, current=True, candidate=False, branch="main")


def view(*rows: DeploymentRow, **more: Any) -> DeploymentsView:
    given: dict[str, Any] = {
        "header": header(), "deployments": (CURRENT, *rows), "deployments_ms": 1, "deployments_words": "",
        "auto_assign": True, "pinned_by": None, "rolling_release": False, "runs": (), "runs_ms": None, "runs_words": "",
    }  # fmt: skip
    return DeploymentsView(**given | more)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"state": "building"}, "it is building"),
        ({"state": "error"}, "its build failed"),
        ({"state": "canceled"}, "it is canceled"),
        ({"gone": True}, "removed by retention"),
        ({"candidate": False}, "Vercel takes it for no rollback (plan or age)"),
        ({"candidate": False, "ever_live": False}, "never served production: it can be promoted"),
        ({"candidate": None}, ""),
        ({"candidate": None, "state": "unknown"}, ""),  # the plan warns of a state that nobody knows
        ({"candidate": None, "target": None}, "a preview: never aliased"),
        ({"candidate": None, "target": "staging"}, "never served production: it is of staging"),
        ({"target": None}, ""),  # a preview that was once promoted is one of Vercel's candidates
    ],
)
def test_why_production_cannot_go_back(changed: dict[str, Any], said: str) -> None:
    assert why_not(READY | changed, current=False) == said
    assert why_not(READY | changed, current=True) == ""


def test_whether_it_can_is_told_unless_nobody_says() -> None:
    assert eligible_words(row()) == "can be rolled back to"
    assert eligible_words(row(candidate=None)) == "Vercel does not say whether it can be rolled back to"
    assert eligible_words(row(why_not="its build failed")) == "its build failed"
    assert eligible_words(CURRENT) == "current"


@pytest.mark.parametrize(
    ("auto_assign", "pinned_by", "begin"),
    [
        (True, None, ""),
        (True, "op2", ""),
        (False, "op2", "PINNED by op2's rollback: "),
        (False, None, "NOT AUTO-ASSIGNING, by somebody's choice"),
        (None, "op2", "PINNED by op2's rollback, as our records tell"),
        (None, None, "unknown whether"),
    ],
)
def test_pinned_is_told_from_a_choice_and_from_what_nobody_knows(
    auto_assign: bool | None, pinned_by: str | None, begin: str
) -> None:
    said = assign_words(view(auto_assign=auto_assign, pinned_by=pinned_by))
    assert said.startswith(begin) and bool(said) == bool(begin)
    assert assign_words(view(auto_assign=None, deployments_ms=None)) == ""  # nothing was ever read


def asked(found: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(deed.request.action, dict(deed.request.parameters)) for deed in found]


def test_one_goes_back_to_what_was_and_forth_to_what_is_newer() -> None:
    assert asked(deeds_for_deployment(view(), row("old", 1))) == [("rollback", {"to": "dpl_old"})]
    assert asked(deeds_for_deployment(view(), row("new", 9))) == [("promote", {"to": "dpl_new"})]
    assert asked(deeds_for_deployment(view(), row("new", 9, state="error", why_not="its build failed"))) == []
    staged = row("staged", 3, live_ms=None, candidate=False, why_not="never served production: it can be promoted")
    assert asked(deeds_for_deployment(view(), staged)) == [("promote", {"to": "dpl_staged"})]
    preview = row("preview", 9, target=None, candidate=None, live_ms=None, why_not="a preview: never aliased")
    assert asked(deeds_for_deployment(view(), preview)) == []


def test_about_the_current_one_can_be_deployed_and_frozen() -> None:
    assert asked(deeds_for_deployment(view(), CURRENT)) == [
        ("deploy", {"target": "staging", "ref": "main"}),
        ("deploy", {"target": "production", "ref": "main"}),
        ("freeze", {"on": True, "hours": 1.0}),
    ]
    assert asked(deeds_for_deployment(view(row("older", 1), row("old", 2), row("new", 9)), CURRENT))[0] == (
        "rollback", {"to": "dpl_old"},
    )  # fmt: skip
    unfit = row("old", 2, why_not="its build failed")
    assert asked(deeds_for_deployment(view(unfit), CURRENT))[0][0] == "deploy"
    held = view(frozen_by="op1", auto_assign=False)
    assert asked(deeds_for_deployment(held, CURRENT))[0] == ("promote", {"to": "dpl_now"})
    assert asked(deeds_for_deployment(held, CURRENT))[-1] == ("freeze", {"on": False})


def run(status: str = "completed", conclusion: str | None = "success") -> CiRunRow:
    return CiRunRow(
        id=7, number=412, attempt=1, title="", branch=None, commit=None, author=None, status=status,
        conclusion=conclusion, event=None, started_ms=None, updated_ms=None,
    )  # fmt: skip


def test_a_run_is_cancelled_while_it_goes_on_and_run_again_when_it_is_over() -> None:
    assert asked(deeds_for_run(run("in_progress", None))) == [("cancel-run", {"run": 7})]
    assert asked(deeds_for_run(run())) == [("rerun", {"run": 7})]
    assert asked(deeds_for_run(run(conclusion="failure")))[0] == ("rerun", {"run": 7, "failed_only": True})


def test_what_is_worth_going_to() -> None:
    assert [problem(each) for each in (row(), row(state="error"), row(state="unknown"), row(error="x"))] == [
        False, True, True, True,
    ]  # fmt: skip
    assert [problem(run(conclusion=word)) for word in ("success", "failure", "cancelled", "of tomorrow")] == [
        False, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "before", "after", "expected"),
    [
        ("p95", 100.0, 169.0, False),
        ("p95", 100.0, 171.0, True),
        ("p95", 2.0, 20.0, False),  # thrice as much, of nothing
        ("p95", None, 900.0, False),
        ("errors", 0.002, 0.011, False),
        ("errors", 0.002, 0.013, True),
        ("errors", 0.5, None, False),
    ],
)
def test_what_is_worse(figure: Any, before: float | None, after: float | None, expected: bool) -> None:
    effect = Effect(figure=figure, before=before, after=after, unit="", origin=Origin.USERS, window_s=900)
    assert worse(effect) is expected
