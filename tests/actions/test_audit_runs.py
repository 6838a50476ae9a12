"""An edit of the journal shows: `radar audit verify` compares every run with what the audit's chain says of it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from console.actions import audit_check
from console.model.actions import RunOutcome, StepOutcome, StepResult
from console.store import audit
from console.store.identity import Who
from console.store.journal import Beginning, Journal
from console.store.records import Records

WHO = Who(1000, "op1", "uid")
DONE = StepResult(outcome=StepOutcome.DONE, words="taken (201)")


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Run 1 is done, run 2 was resumed and is done, run 3 is unknown, run 4 is on its way."""
    made = Records(tmp_path / "records.db")
    journal = Journal(made, WHO)
    for number in (1, 2, 3, 4):
        begin(journal, number)
        journal.intend(number, "ask")
        journal.progress(number, "ask", "accepted")
        if number == 2:
            journal.end(2, RunOutcome.UNKNOWN, "no answer")
            journal.adopt(2, 77, "b", "other")
        if number < 3:
            journal.conclude(number, "ask", DONE)
            journal.end(number, RunOutcome.DONE, "all steps done")
    journal.end(3, RunOutcome.UNKNOWN, "no answer")
    return made


def begin(journal: Journal, number: int) -> None:
    journal.begin(Beginning(
        token=f"token{number}", action="rollback", title="Roll back", target="prj (t1)", risk="disruptive",
        exclusion=f"lock{number}", plan='{"steps": []}', reason="errors", authority="guard rails", host="h", pid=1,
        boot_id="b",
    ), arms=number == 1)  # fmt: skip


def verdict(records: Records) -> audit_check.Verdict:
    return audit_check.verify(records, {}, "nothing")


def edited(records: Records, statement: str) -> tuple[str, ...]:
    records.write(lambda connection: connection.execute(statement))
    found = verdict(records)
    assert found.whole and found.holds is not bool(found.differences)
    return found.differences


def test_what_was_not_edited_says_the_same(records: Records) -> None:
    found = verdict(records)
    assert (found.holds, found.differences, found.runs) == (True, (), 4)


@pytest.mark.parametrize(("change", "words"), [
    ("UPDATE run SET operator = 'alice (uid)' WHERE id = 1",
     'run 1: by: the journal says "alice (uid)", entry 1 of the audit "op1 (uid)"'),
    ("UPDATE run SET operator_uid = 7 WHERE id = 2", 'run 2: user id: the journal says "7"'),
    ("UPDATE run SET target = 'prj (t9)' WHERE id = 1", 'run 1: target: the journal says "prj (t9)"'),
    ("UPDATE run SET title = 'Look' WHERE id = 3", 'run 3: what, and why: the journal says "Look: errors"'),
    ("UPDATE run SET reason = 'a test' WHERE id = 4", 'run 4: what, and why: the journal says "Roll back: a test"'),
    ("UPDATE run SET began_ms = began_ms - 1 WHERE id = 1", "run 1: confirmed at: the journal says"),
    ("UPDATE run SET ended_ms = ended_ms + 1 WHERE id = 1", "run 1: ended at: the journal says"),
    ("UPDATE run SET risk = 'safe' WHERE id = 1", 'run 1: risk: the journal says "safe"'),
    ("UPDATE run SET authority = 'enforced' WHERE id = 1", 'run 1: authority: the journal says "enforced"'),
    ("UPDATE run SET plan = '{}' WHERE id = 1", "run 1: plan: the journal says"),
    ("UPDATE run SET outcome = 'failed' WHERE id = 2", 'run 2: outcome: the journal says "failed"'),
    ("UPDATE run SET words = 'nothing was done' WHERE id = 2", "run 2: words of the end: the journal says"),
    ("UPDATE run SET ended_ms = 5, outcome = 'done' WHERE id = 3", 'run 3: outcome: the journal says "done"'),
    ("UPDATE run SET ended_ms = 5, outcome = 'done' WHERE id = 4",
     "run 4: the journal says it ended (done): the audit has no entry of an end"),
    ("UPDATE run SET ended_ms = NULL, outcome = NULL WHERE id = 1", "run 1: outcome: the journal says nothing"),
    ("UPDATE run_entry SET outcome = 'failed' WHERE run_id = 1 AND outcome = 'done'",
     'run 1: step ask: the journal says "failed", entry'),
    ("DELETE FROM run_entry WHERE run_id = 2", 'run 2: step ask: the journal says "not begun"'),
    ("UPDATE run_entry SET words = 'refused' WHERE run_id = 1 AND outcome = 'done'",
     "run 1: what its steps said was changed"),
    ("INSERT INTO run_entry(run_id, at_ms, step, outcome, words, data) VALUES (1, 9, 'ask', 'failed', '', '{}')",
     "run 1: 1 line more in its steps than at its end"),
    ("DELETE FROM run WHERE id = 1", "run 1 is not in the journal: entry 1, "),
    ("UPDATE run SET token = 'other' WHERE id = 4", "run 4 (Roll back, op1 (uid)): the audit has no entry of its"),
    ("UPDATE run SET token = 'other' WHERE id = 4", "run 4 is not in the journal"),
    ("INSERT INTO run(token, began_ms, action, title, target, risk, plan, reason, operator, operator_uid, authority, "
     "host, pid, boot_id) VALUES ('x', 1, 'a', 'Nothing', '', '', '', '', 'bob', 1, '', '', 1, '')",
     "run 5 (Nothing, bob): the audit has no entry of its beginning"),
])  # fmt: skip
def test_an_edit_of_the_journal_is_named(records: Records, change: str, words: str) -> None:
    assert any(each.startswith(words) for each in edited(records, change)), verdict(records).differences


def test_entries_of_an_older_version_are_compared_by_what_they_tell(records: Records) -> None:
    records.write(_as_before)
    found = verdict(records)
    assert found.holds and found.runs == 4, found
    assert edited(records, "UPDATE run SET operator = 'alice' WHERE id = 1")
    assert "confirmed at" in edited(records, "UPDATE run SET began_ms = began_ms - 60000 WHERE id = 2")[1]
    assert len(edited(records, "UPDATE run SET outcome = 'done', ended_ms = 5 WHERE id = 3")) == 4


def _as_before(connection: sqlite3.Connection) -> None:
    """The audit as the version before wrote it: of a run its token alone, chained again."""
    entries = list(audit.entries(connection))
    connection.execute("DELETE FROM audit")
    connection.execute("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'audit'")
    for entry in entries:
        data = {key: value for key, value in json.loads(entry.data).items() if key == "run"}
        audit.append(connection, entry.at_ms, WHO, audit.Fact(entry.kind, entry.subject, entry.words, data))
