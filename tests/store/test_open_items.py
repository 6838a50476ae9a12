"""The ledger's rows: what a row asks for when it is ended, and what was due and was not done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from console.model.actions import ActionRequest, Holding, Plan, Risk, StepOutcome, StepResult
from console.model.views import OpenItem
from console.store import due
from console.store.clock import now_ms
from console.store.identity import Who
from console.store.journal import Beginning, Journal
from console.store.read_journal import due_at
from console.store.read_open import open_items
from console.store.records import Records

OP1 = Who(4711, "op1", "loginuid")
MINUTE_MS = 60_000


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    made = Records.open(tmp_path / "records.db")
    yield made
    made.close()


def items(records: Records, directory: Path, at_ms: int | None = None) -> dict[str, OpenItem]:
    """The rows by kind."""
    moment_ms = now_ms() if at_ms is None else at_ms
    found = records.read(lambda connection: open_items(connection, moment_ms, directory, live=at_ms is None))
    return {item.kind: item for item in found}


def ran(records: Records, *holds: Holding) -> None:
    """A rollback with the CI held, as its journal has it."""
    plan = Plan(
        action="rollback", title="Roll back", environment="production", target="t", short_id="t",
        risk=Risk.DISRUPTIVE, exclusion=None, checks=(), steps=(),
        undo_request=ActionRequest(action="promote", parameters={"to": "dpl_new"}),
    )  # fmt: skip
    journal = Journal(records, OP1)
    beginning = Beginning(
        token="t", action="rollback", title="Roll back", target="t", risk="disruptive", exclusion=None,
        plan=json.dumps(msgspec.to_builtins(plan)), reason="why", authority="guard rails", host="h", pid=1, boot_id="b",
    )  # fmt: skip
    run, _ = journal.begin(beginning)
    journal.conclude(run, "hold-ci", StepResult(outcome=StepOutcome.DONE, words="", holds=holds))


def test_each_holding_is_ended_by_its_own_request_and_never_by_the_runs_undo(records: Records, tmp_path: Path) -> None:
    freeze = ActionRequest(action="freeze", parameters={"on": False})
    promote = ActionRequest(action="promote", parameters={"to": "dpl_new"})
    ran(
        records,
        Holding(kind="freeze", subject="acme/shop", text="held", request=freeze),
        Holding(kind="pinned", subject="prj", text="pinned", request=promote),
        Holding(kind="maintenance", subject="production", text="nothing ends it"),
    )
    found = items(records, tmp_path)
    assert found["freeze"].request == ("freeze", {"on": False})
    assert found["pinned"].request == ("promote", {"to": "dpl_new"})
    assert found["maintenance"].request is None


def announced(records: Records, due_ms: int, action: str = "maintenance") -> int:
    entry = due.add(
        records, key=f"k{due_ms}", due_ms=due_ms, action=action, parameters={}, title="Maintenance on", reason="why",
        operator="op1 (loginuid)", operator_uid=4711,
    )  # fmt: skip
    return entry.id


def test_what_nobody_took_stays_for_a_day_as_missed(records: Records, tmp_path: Path) -> None:
    due_ms = now_ms() + 30 * MINUTE_MS
    number = announced(records, due_ms)
    assert set(items(records, tmp_path)) == {"due"}
    assert set(items(records, tmp_path, due_ms + 5 * MINUTE_MS)) == {"due"}
    late = items(records, tmp_path, due_ms + 11 * MINUTE_MS)["missed"]
    assert late.text == "Maintenance on: nobody took it: is `radar collect` running?"
    assert (late.undo, late.request) == (f"radar actions cancel {number}", ("cancel-due", {"due": number}))
    assert set(items(records, tmp_path, due_ms + 23 * 60 * MINUTE_MS)) == {"missed"}
    assert items(records, tmp_path, due_ms + 25 * 60 * MINUTE_MS) == {}


def test_what_was_seen_too_late_stays_until_it_is_struck_out(records: Records, tmp_path: Path) -> None:
    number = announced(records, now_ms() - 20 * MINUTE_MS)
    assert due.claim(records, now_ms()) == ()
    assert "first seen 20 min late" in items(records, tmp_path)["missed"].text
    found = due.find(records, number)
    assert found is not None and found.is_not_done
    cancelled = due.cancel(records, number, "op1 (loginuid)")
    assert cancelled is not None and cancelled.state == "cancelled"
    assert items(records, tmp_path) == {}
    assert [row.state for row in records.read(lambda connection: due_at(connection, now_ms()))] == ["cancelled"]


def test_what_was_refused_or_carried_out(records: Records, tmp_path: Path) -> None:
    number = announced(records, now_ms() - MINUTE_MS)
    (entry,) = due.claim(records, now_ms())
    assert items(records, tmp_path) == {}, "it is being begun"
    due.note_refusal(records, entry.id, "no provider answers")
    assert items(records, tmp_path)["missed"].text == "Maintenance on: not done: no provider answers"
    done = announced(records, now_ms() - 2 * MINUTE_MS)
    due.claim(records, now_ms())
    due.note_run(records, done, "token")
    taken = due.cancel(records, done, "op1")
    assert taken is not None and taken.state == "taken", "what was begun is not struck out"
    due.cancel(records, number, "op1")
    assert items(records, tmp_path) == {}


def test_what_the_keeper_of_a_freeze_asked_for_is_nobodys_to_look_after(records: Records, tmp_path: Path) -> None:
    announced(records, now_ms() - MINUTE_MS, "cancel-run")
    (entry,) = due.claim(records, now_ms())
    due.note_refusal(records, entry.id, "it deploys just now")
    assert items(records, tmp_path) == {}


def test_what_was_refused_says_why_and_the_keepers_is_not_told_for_long(records: Records) -> None:
    for action in ("maintenance", "cancel-run"):
        row = due.add(
            records, key=action, due_ms=now_ms(), action=action, parameters={}, title=f"Do {action}", reason="r",
            operator="op1", operator_uid=1,
        )  # fmt: skip
        due.claim(records, now_ms())
        due.note_refusal(records, row.id, "#407 is cancelled: there is nothing to cancel")
    at_ms = now_ms()
    soon = {row.action: row for row in records.read(lambda connection: due_at(connection, at_ms + 1000))}
    later = {row.action: row for row in records.read(lambda connection: due_at(connection, at_ms + 12 * MINUTE_MS))}
    assert {row.state for row in soon.values()} == {"refused"} and set(soon) == {"maintenance", "cancel-run"}
    assert all(row.words == "not done: #407 is cancelled: there is nothing to cancel" for row in soon.values())
    assert set(later) == {"maintenance"}
