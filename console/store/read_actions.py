"""What records.db says of actions at a moment: runs with their steps. What is open stands in `read_open`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from console.model.action_views import ActionsView, RunRow, RunView, StepRow
from console.model.actions import Plan, RunOutcome, StepOutcome
from console.model.views import Header
from console.store import outbox
from console.store.journal import PROGRESS, RunEntry, StoredRun, entries_of, stored_runs
from console.store.read_journal import due_at, holdings_at
from console.store.read_open import FUTURE_MS
from console.store.read_records import Place
from console.store.reading import ReadFile
from console.store.runlock import is_carried_out

SHOWN = 50


def run_rows(connection: sqlite3.Connection, at_ms: int, directory: Path, *, live: bool) -> tuple[RunRow, ...]:
    """Open ones first, then the newest. `directory`: where the locks of runs are."""
    runs = stored_runs(connection, "began_ms <= ? ORDER BY id DESC LIMIT ?", (at_ms, SHOWN))
    older = stored_runs(connection, "began_ms <= ? AND ended_ms IS NULL ORDER BY id", (at_ms,))
    every = {run.id: run for run in (*older, *runs)}
    rows = [row_of(run, at_ms, directory, live=live) for run in every.values()]
    return tuple(sorted(rows, key=lambda row: (row.ended_ms is not None, -row.id)))


def row_of(run: StoredRun, at_ms: int, directory: Path, *, live: bool) -> RunRow:
    """One run as it was known at the moment."""
    ended_ms = run.ended_ms if run.ended_ms is not None and run.ended_ms <= at_ms else None
    return RunRow(
        id=run.id, token=run.token, action=run.action, title=run.title, target=run.target, risk=run.risk,
        reason=run.reason, operator=run.operator, authority=run.authority, began_ms=run.began_ms, ended_ms=ended_ms,
        outcome=_outcome(run, ended_ms, directory, live=live),
        words=run.words if ended_ms is not None or live else "", undo=plan_of(run).undo,
    )  # fmt: skip


def _outcome(run: StoredRun, ended_ms: int | None, directory: Path, *, live: bool) -> RunOutcome:
    if ended_ms is not None and run.outcome is not None:
        return run.outcome
    if not live:
        return RunOutcome.RUNNING  # who carried it out then cannot be told any more
    if run.outcome is RunOutcome.UNKNOWN:
        return RunOutcome.UNKNOWN
    runs = is_carried_out(directory, run.token, run.pid, run.boot_id)
    return RunOutcome.RUNNING if runs else RunOutcome.INTERRUPTED


def plan_of(run: StoredRun) -> Plan:
    """The plan of a run as it was confirmed."""
    return msgspec.json.decode(run.plan, type=Plan)


def step_rows(connection: sqlite3.Connection, run: StoredRun, at_ms: int) -> tuple[StepRow, ...]:
    """The steps in their order, as they stood at the moment."""
    entries = entries_of(connection, run.id, at_ms)
    plan = plan_of(run)
    return tuple(
        _step_row(step.key, step.words, step.call, step.required, step.expected_s,
                  [entry for entry in entries if entry.step == step.key])
        for step in plan.steps
    )  # fmt: skip


def _step_row(key: str, words: str, call: str, required: bool, expected_s: float, entries: list[RunEntry]) -> StepRow:
    told = [entry for entry in entries if entry.outcome != PROGRESS]
    outcome = StepOutcome(told[-1].outcome) if told else None
    over = outcome not in (None, StepOutcome.INTENDED)
    return StepRow(
        key=key, words=words, call=call, required=required, expected_s=expected_s, outcome=outcome,
        said=(told[-1].words if over else entries[-1].words) if entries else "",
        began_ms=told[0].at_ms if told else None,
        ended_ms=told[-1].at_ms if over else None,
    )  # fmt: skip


def journal(records: ReadFile, place: Place, shown_ms: int, header: Header) -> ActionsView:
    """The journal as a page. Raises `Unreadable`."""
    with records.transaction() as connection:
        if connection is None:
            return ActionsView(header=header, runs=(), holdings=(), due=())
        written_ms = FUTURE_MS if place.live else shown_ms
        return ActionsView(
            header=header,
            runs=run_rows(connection, written_ms, place.directory, live=place.live),
            holdings=holdings_at(connection, written_ms),
            due=due_at(connection, shown_ms),
            deliveries=outbox.deliveries(connection, shown_ms),
            armed_until_ms=header.armed_until_ms,
        )


def run_view(records: ReadFile, token: str, place: Place, shown_ms: int, header: Header) -> RunView:
    """One run; without one where there was none of that token at the moment. Raises `Unreadable`."""
    with records.transaction() as connection:
        written_ms = FUTURE_MS if place.live else shown_ms
        found = stored_runs(connection, "token = ? AND began_ms <= ?", (token, written_ms)) if connection else ()
        if connection is None or not found:
            return RunView(header=header, run=None, plan=None)
        (run,) = found
        return RunView(
            header=header,
            run=row_of(run, written_ms, place.directory, live=place.live),
            plan=plan_of(run),
            steps=step_rows(connection, run, written_ms),
        )
