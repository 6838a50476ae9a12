"""Plans, runs and a journal of the sample night: hand-built values with a fixed clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.model.action_views import ActionsView, DeliveryRow, DueRow, RunRow, RunView, StepRow
from console.model.actions import (
    ActionRequest,
    Check,
    CheckResult,
    Option,
    Plan,
    Risk,
    RunOutcome,
    Step,
    StepKind,
    StepOutcome,
)
from console.model.views import OpenItem
from tests.screens.sample import NOW, D, H, M, S, header

PASS, WARN, FAIL = CheckResult.PASS, CheckResult.WARN, CheckResult.FAIL
TOKEN = "a1b2c3d4e5f60718293a4b5c"
REASON = "/api/v1/audits 38 % 5xx, 47 of 124"


def _check(key: str, result: CheckResult, words: str, source: str = "vercel api", age: int = 1 * S) -> Check:
    return Check(key=key, result=result, words=words, source=source, at_ms=NOW - age)


CHECKS = (
    _check("ran", PASS, '41ab9e0 "fix login" ran in production 6 d 4 h, p95 118 ms, errors 0.2 %', "records"),
    _check("job", PASS, "no rollback or rolling release in progress"),
    _check("ci", WARN, 'CI run #413 on main is at step "build": it would deploy over this in about 6 m', "github api"),
    _check("schema", WARN, "migration 012 was applied after 41ab9e0; it only adds a column: compatible", "sql", 20 * S),
    _check("role", PASS, "you may do this: operator by group oncall (guard rails)", "this host"),
)
HOLD = Option(key="h", words="hold it while this plan runs (deploy freeze, 1 h)", parameter="hold_ci", value=True)
STEPS = (
    Step(
        key="ask",
        kind=StepKind.CHANGE,
        words="ask Vercel to roll back prj_7Hq2e7 to dpl_41ab9e0",
        call="POST /v1/projects/prj_7Hq2e7/rollback/dpl_41ab9e0",
        expected_s=1,
    ),
    Step(
        key="follow",
        kind=StepKind.FOLLOW,
        words="follow the job until it is ours and succeeded",
        call="GET /v9/projects/prj_7Hq2e7, for 3 m at most",
        expected_s=6,
    ),
    Step(
        key="see",
        kind=StepKind.SEE,
        words="see 41ab9e0 answer at app.example.com",
        call="GET https://app.example.com/api/v1/system/health",
        expected_s=3,
    ),
    Step(
        key="watch",
        kind=StepKind.WATCH,
        words="watch routes and errors, 3 good rounds",
        call="worse: undo is offered",
        expected_s=9,
    ),
    Step(
        key="slack",
        kind=StepKind.TELL,
        words="tell #oncall in Slack",
        call="POST hooks.slack.com",
        required=False,
        expected_s=1,
    ),
)


def plan(**changes: Any) -> Plan:
    """The rollback of the sample night."""
    base = Plan(
        action="rollback",
        title="Roll back production from 8f3c1d2 to 41ab9e0",
        environment="production",
        target="41ab9e0 (dpl_41ab9e0)",
        short_id="41ab9e0",
        risk=Risk.DISRUPTIVE,
        exclusion="deployment",
        checks=CHECKS,
        steps=STEPS,
        lost=("schema, environment of the new build, cron of 8f3c1d2",),
        afterwards=("later pushes do not go live until promoted: in the ledger",),
        undo="radar promote dpl_8f3c1d2, about 20 s",
        undo_request=ActionRequest(action="promote", parameters={"to": "dpl_8f3c1d2"}),
        escape=(
            "vercel rollback dpl_41ab9e0 --scope tabletalk --timeout 3m",
            'curl -X POST -H "Authorization: Bearer $VERCEL_TOKEN" -d {} '
            '"https://api.vercel.com/v1/projects/prj_7Hq2e7/rollback/dpl_41ab9e0?teamId=team_x"',
            "vercel rollback status prj_7Hq2e7",
        ),
        options=(HOLD,),
        data={"to": "dpl_41ab9e0"},
    )
    return replace(base, **changes)


def held(parameters: dict[str, Any]) -> Plan:
    """The same with the option as it is given."""
    on = parameters.get("hold_ci") is True
    steps = (Step(key="hold", kind=StepKind.CHANGE, words="cancel CI run #413", call="POST …/runs/413/cancel"), *STEPS)
    return plan(options=(replace(HOLD, on=on),), steps=steps if on else STEPS)


SAFE = plan(
    action="rerun",
    title="Run CI run #413 again: its failed jobs",
    short_id="413",
    risk=Risk.SAFE,
    checks=CHECKS[4:],
    steps=(Step(key="ask", kind=StepKind.CHANGE, words="ask GitHub", call="POST /repos/o/r/actions/runs/413/rerun"),),
    lost=(),
    afterwards=(),
    undo="radar ci cancel 413",
    options=(),
)
DESTRUCTIVE = plan(
    action="maintenance-table",
    title="Create the table radar_maintenance in the application's database",
    short_id="radar_maintenance",
    risk=Risk.DESTRUCTIVE,
    options=(),
    undo="",
)
FAILING = plan(
    checks=(
        _check(
            "run", FAIL, "run 6 is not at its end: Roll back production (op2, 40 s): see radar actions 6", "records"
        ),
        *CHECKS,
    )
)


def run_row(outcome: RunOutcome = RunOutcome.DONE, **changes: Any) -> RunRow:
    """The run of the rollback."""
    base = RunRow(
        id=7,
        token=TOKEN,
        action="rollback",
        title="Roll back production from 8f3c1d2 to 41ab9e0",
        target="41ab9e0 (dpl_41ab9e0)",
        risk="disruptive",
        reason=REASON,
        operator="op1 (loginuid)",
        authority="guard rails",
        began_ms=NOW - 21 * S,
        ended_ms=NOW - 1 * S,
        outcome=outcome,
        words="all steps done",
        undo="radar promote dpl_8f3c1d2, about 20 s",
    )
    return replace(base, **changes)


SAID = {
    "ask": "accepted: job for dpl_41ab9e0",
    "follow": "the job is ours and succeeded",
    "see": "version 41ab9e0 answers, 118 ms (probe)",
    "watch": "3 of 3 rounds good: routes 8/8, errors 38 % before, 0.2 % after (probe)",
    "slack": "sent",
}


def steps(*outcomes: StepOutcome | None, said: dict[str, str] | None = None) -> tuple[StepRow, ...]:
    """The steps with these outcomes, each begun when the one before it ended."""
    rows, at = [], NOW - 21 * S
    for step, outcome in zip(STEPS, outcomes, strict=True):
        begun = outcome is not None
        ended = begun and outcome is not StepOutcome.INTENDED
        words = (said or {}).get(step.key, SAID[step.key] if outcome is StepOutcome.DONE else "")
        end_ms = at + int(step.expected_s * S)
        rows.append(
            StepRow(
                key=step.key,
                words=step.words,
                call=step.call,
                required=step.required,
                outcome=outcome,
                said=words,
                began_ms=at if begun else None,
                ended_ms=end_ms if ended else None,
                expected_s=step.expected_s,
            )
        )
        at = end_ms
    return tuple(rows)


DONE, UNKNOWN, BEGUN, FAILED = StepOutcome.DONE, StepOutcome.UNKNOWN, StepOutcome.INTENDED, StepOutcome.FAILED
PINNED = OpenItem(
    kind="pinned",
    text="PINNED by rollback to 41ab9e0",
    owner="op1",
    since_ms=NOW - 12 * S,
    undo="radar promote dpl_8f3c1d2",
    request=("promote", {"to": "dpl_8f3c1d2"}),
    run=TOKEN,
)
INTERRUPTED = OpenItem(
    kind="interrupted",
    text="run 7: Roll back production from 8f3c1d2 to 41ab9e0",
    owner="op1",
    since_ms=NOW - 9 * M,
    undo="radar actions resume 7",
    run=TOKEN,
)
FREEZE = OpenItem(
    kind="freeze",
    text="FREEZE of main of tabletalk/radar",
    owner="op2",
    since_ms=NOW - 2 * H,
    expires_ms=NOW + 3 * H,
    undo="radar freeze off",
    request=("freeze", {"on": False}),
)
DUE_ITEM = OpenItem(
    kind="due",
    text="Maintenance on",
    owner="op2",
    since_ms=NOW - 10 * M,
    expires_ms=NOW + 50 * M,
    undo="radar actions cancel 3",
    request=("cancel-due", {"due": 3}),
)


def _view(row: RunRow, rows: tuple[StepRow, ...], *items: OpenItem) -> RunView:
    return RunView(header=header(open_items=items), run=row, plan=plan(), steps=rows)


RUNS: dict[str, RunView] = {
    "running": _view(
        run_row(RunOutcome.RUNNING, ended_ms=None, words=""),
        steps(DONE, BEGUN, None, None, None, said={"follow": "in progress at Vercel, asked 4 times"}),
    ),
    "done": _view(run_row(), steps(DONE, DONE, DONE, DONE, DONE), PINNED),
    "tell failed": _view(
        run_row(words="all steps done; tell #oncall in Slack: 404 no_service"),
        steps(DONE, DONE, DONE, DONE, FAILED, said={"slack": "404 no_service: the webhook is gone"}),
        PINNED,
    ),
    "worse": _view(
        run_row(RunOutcome.WORSE, words="done, but worse than before: all steps done"),
        steps(DONE, DONE, DONE, DONE, DONE, said={"watch": "errors 38 % before, 61 % after (probe, 62 of 101)"}),
        PINNED,
    ),
    "failed": _view(
        run_row(RunOutcome.FAILED, words="follow the job until it is ours and succeeded: Vercel says failed"),
        steps(DONE, FAILED, None, None, None, said={"follow": "Vercel says failed: alias job 812, no alias was moved"}),
    ),
    "not done": _view(
        run_row(RunOutcome.NOT_DONE, words="the remote state shows that it was not carried out"),
        steps(FAILED, None, None, None, None, said={"ask": "409: another alias job runs; nothing was changed"}),
    ),
    "unknown": _view(
        run_row(RunOutcome.UNKNOWN, ended_ms=None, words="no answer within 15 s, and the job is not seen yet"),
        steps(UNKNOWN, None, None, None, None, said={"ask": "no answer within 15 s; asked 5 times: no job seen"}),
        replace(INTERRUPTED, kind="unknown"),
    ),
    "interrupted": _view(
        run_row(RunOutcome.INTERRUPTED, began_ms=NOW - 9 * M, ended_ms=None, words=""),
        steps(DONE, BEGUN, None, None, None),
        INTERRUPTED,
    ),
    "resumed": _view(
        run_row(RunOutcome.RUNNING, began_ms=NOW - 9 * M, ended_ms=None, words=""),
        steps(DONE, DONE, BEGUN, None, None, said={"follow": "succeeded, and it is ours (read from the remote state)"}),
    ),
}


def run_view(token: str) -> RunView:
    """A run that is done; of another token one that is named so, such as `worse`."""
    return RUNS.get(token, RUNS["done"])


def actions_view() -> ActionsView:
    """A journal with something of every kind."""
    runs = (
        run_row(RunOutcome.INTERRUPTED, began_ms=NOW - 9 * M, ended_ms=None, words=""),
        run_row(
            RunOutcome.UNKNOWN, id=6, token="unknown", began_ms=NOW - 40 * M, ended_ms=None, words="no answer in 15 s"
        ),
        run_row(
            RunOutcome.WORSE,
            id=5,
            token="worse",
            began_ms=NOW - 3 * H,
            ended_ms=NOW - 3 * H + 22 * S,
            words="errors rose",
        ),
        run_row(id=4, token="done", began_ms=NOW - 26 * H, ended_ms=NOW - 26 * H + 19 * S, operator="op2 (loginuid)"),
        run_row(
            RunOutcome.FAILED,
            id=3,
            token="failed",
            title="Deploy main to staging",
            began_ms=NOW - 3 * D,
            ended_ms=NOW - 3 * D + 4 * M,
            words="the build failed",
        ),
        run_row(
            RunOutcome.CLOSED, id=2, token="closed", began_ms=NOW - 9 * D, ended_ms=NOW - 8 * D, words="seen in Vercel"
        ),
        run_row(RunOutcome.NOT_DONE, id=1, token="not done", began_ms=NOW - 9 * D, ended_ms=NOW - 9 * D + 2 * S),
    )
    due = DueRow(
        id=3,
        action="maintenance",
        title="Maintenance on",
        due_ms=NOW + 50 * M,
        made_ms=NOW - 10 * M,
        operator="op2",
        reason="vacuum full of audits",
        state="waiting",
    )
    late = replace(due, id=2, due_ms=NOW - 2 * H, state="missed", reason="the collector was not running")
    delivery = DeliveryRow(
        id=12,
        event="run-7",
        channel="slack",
        title="Roll back production: done",
        state="failed",
        attempts=4,
        changed_ms=NOW - 2 * M,
        words="404 no_service",
    )
    unknown = replace(delivery, id=13, channel="statuspage", state="unknown", words="no answer after it was sent")
    return ActionsView(
        header=header(open_items=(INTERRUPTED, FREEZE, DUE_ITEM)),
        runs=runs,
        holdings=(),
        due=(due, late),
        deliveries=(delivery, unknown),
    )


def no_actions() -> ActionsView:
    """A journal before anything was done."""
    return ActionsView(header=header(open_items=()), runs=(), holdings=(), due=())
