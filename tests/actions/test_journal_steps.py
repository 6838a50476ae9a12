"""Killed at any system call of any write of the journal: the files as they were then are opened and judged."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from console.actions.audit_check import verify
from console.model.actions import Holding, Plan, Risk, RunOutcome, Step, StepKind, StepOutcome, StepResult
from console.store.identity import Who
from console.store.journal import Beginning, Journal
from console.store.read import StoreReader
from console.store.records import Records
from tests.store.samples import ENVIRONMENT

WHO = Who(1000, "op1", "uid")
STEPS = (
    Step(key="ask", kind=StepKind.CHANGE, words="ask for it"),
    Step(key="watch", kind=StepKind.WATCH, words="watch it"),
)
PLAN = Plan(
    action="rollback", title="Roll back", environment="production", target="prj (t1)", short_id="t1",
    risk=Risk.DISRUPTIVE, exclusion="deployment", checks=(), steps=STEPS,
)  # fmt: skip
PIN = Holding(kind="pinned", subject="prj", text="production is pinned", undo="radar promote t0")
WRITES = ("begin", "intend", "progress", "conclude", "adopt", "intend", "release", "end", "arm")
OLD = "records.db", "records.db-journal", "returned"


def write(journal: Journal, number: int) -> None:
    """The write of that number in WRITES."""
    done = StepOutcome.DONE
    if number == 0:
        journal.begin(Beginning(
            token="a1", action=PLAN.action, title=PLAN.title, target=PLAN.target, risk=PLAN.risk,
            exclusion="deployment", plan=json.dumps(msgspec.to_builtins(PLAN)), reason="it is broken",
            authority="guard rails", host="h", pid=1, boot_id="b",
        ), arms=True)  # fmt: skip
    elif number == 1:
        journal.intend(1, "ask")
    elif number == 2:
        journal.progress(1, "ask", "accepted")
    elif number == 3:
        journal.conclude(1, "ask", StepResult(outcome=done, words="asked", data={"job": 7}, holds=(PIN,)))
    elif number == 4:
        journal.adopt(1, 2, "b", "h")
    elif number == 5:
        journal.intend(1, "watch")
    elif number == 6:
        journal.conclude(1, "watch", StepResult(outcome=done, words="well", releases=(("pinned", "prj"),)))
    elif number == 7:
        journal.end(1, RunOutcome.DONE, "all steps done")
    else:
        journal.arm("something else")


def trace(directory: Path) -> None:
    """In a process of its own: every write, traced; each state of the files in a directory of its number."""
    from tests.actions.stepped import traced

    Records.open(directory / "records.db").close()

    def work() -> None:
        journal = Journal(Records(directory / "records.db"), WHO)
        for number in range(len(WRITES)):
            write(journal, number)
            with (directory / "returned").open("ab") as returned:  # as many bytes as writes have returned
                returned.write(b".")

    for number, files in enumerate(traced(work, [directory / name for name in OLD])):
        place = directory / "states" / f"{number:04}"
        place.mkdir(parents=True)
        for name, content in files.items():
            (place / name).write_bytes(content)


def told(path: Path) -> list[object]:
    """Everything that the journal's tables hold, without the times."""
    with sqlite3.connect(path) as connection:
        return [
            connection.execute(f"SELECT {columns} FROM {table} ORDER BY id").fetchall()
            for table, columns in (
                ("run", "token, pid, outcome, words, ended_ms IS NULL"), ("run_entry", "step, outcome, words, data"),
                ("holding", "kind, subject, ended_ms IS NULL"), ("audit", "id, kind, words"), ("arming", "reason"),
            )
        ]  # fmt: skip


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("traced")
    command = [sys.executable, "-m", "tests.actions.test_journal_steps", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if "PermissionError" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("processes may not be traced here")
    assert done.returncode == 0, done.stderr
    return sorted((directory / "states").iterdir())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[list[object]]:
    """What the tables hold before the first write and after each."""
    path = tmp_path_factory.mktemp("whole") / "records.db"
    journal = Journal(Records.open(path), WHO)
    found = [told(path)]
    for number in range(len(WRITES)):
        write(journal, number)
        found.append(told(path))
    return found


def test_the_copies_show_every_part_of_a_write(states: list[Path]) -> None:
    """The counter-test: among the copies are half-written ones, which only the rollback journal makes whole."""
    hot = [state for state in states if (state / "records.db-journal").exists()]
    assert len(states) > 8 * len(WRITES) and len(hot) > 3 * len(WRITES)
    half = 0
    for state in hot:
        (state / "records.db-journal").rename(state / "aside")
        try:
            with sqlite3.connect(state / "records.db") as connection:
                half += connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
        except sqlite3.DatabaseError:
            half += 1
        (state / "aside").rename(state / "records.db-journal")
    assert half > 0


def test_whatever_stands_is_what_stood_before_a_write_or_after_it(
    states: list[Path], whole: list[list[object]]
) -> None:
    for state in states:
        returned = (state / "returned").stat().st_size if (state / "returned").exists() else 0
        view = StoreReader(state / "observed.db", state / "records.db", ENVIRONMENT, None).run("a1", None)
        found = told(state / "records.db")
        allowed = whole[returned : returned + 2]
        assert found in allowed, (state.name, returned, found)
        records = Records.open(state / "records.db")
        assert verify(records, {}, "nothing").holds, state.name
        entries = Journal(records, WHO).entries(1)
        seen = [(entry.step, entry.outcome) for entry in entries]
        for step in ("ask", "watch"):
            assert (step, "done") not in seen or seen.index((step, "intended")) < seen.index((step, "done"))
        at_its_end = whole.index(found) >= WRITES.index("end") + 1
        outcome = view.run.outcome if view.run is not None else None
        assert outcome == (RunOutcome.DONE if at_its_end else RunOutcome.INTERRUPTED if found[0] else None), state.name
        records.close()


if __name__ == "__main__":
    trace(Path(sys.argv[1]))
