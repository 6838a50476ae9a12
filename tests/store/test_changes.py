"""What changed lately and bears on deployments: from both files, as it was known at a moment."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from console.model.observation import Event
from console.model.states import State
from console.store.history import HistoryWriter
from console.store.names import HOUR_MS, MINUTE_MS
from console.store.read import StoreReader
from console.store.records import Records
from tests.store.samples import alert
from tests.store.test_deployments import ENVIRONMENT, LIVE_MS, item, live, vercel


def run(path: Path, title: str, began_ms: int, ended_ms: int | None, outcome: str | None) -> None:
    """A row of the journal as the runner leaves it."""
    with sqlite3.connect(path) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(run)") if row[3] and row[1] != "id"]
        given = dict.fromkeys(columns, "") | {"token": title, "action": "rollback", "title": title, "plan": "{}",
            "operator": "op2 (loginuid)", "operator_uid": 1000, "pid": 0, "began_ms": began_ms,
            "ended_ms": ended_ms, "outcome": outcome}  # fmt: skip
        connection.execute(
            f"INSERT INTO run({', '.join(given)}) VALUES ({', '.join('?' * len(given))})", tuple(given.values())
        )


def store(tmp_path: Path) -> StoreReader:
    with HistoryWriter(tmp_path / "observed.db") as writer:
        writer.event(live("new", LIVE_MS))
        for kind, subject, at in (("migration", "postgres.catalogue", 5), ("store", "disk", 6)):
            writer.event(Event(at_ms=LIVE_MS + at * MINUTE_MS, kind=kind, subject=subject, text=f"a {kind}"))
        writer.alert(alert(began_ms=LIVE_MS + 9 * MINUTE_MS, ended_ms=LIVE_MS + 20 * MINUTE_MS))
        writer.observation(vercel(item("new"), production="new"), LIVE_MS, LIVE_MS + 3 * HOUR_MS, 60)
    records = Records(tmp_path / "records.db")
    records.write(
        lambda connection: connection.execute(
            "INSERT INTO holding(kind, subject, text, owner, began_ms, expires_ms, undo) "
            "VALUES ('freeze', 'o/n', '', 'op1 (uid)', ?, ?, '')",
            (LIVE_MS, LIVE_MS + HOUR_MS),
        )
    )
    records.close()
    run(tmp_path / "records.db", "Roll back", LIVE_MS + 15 * MINUTE_MS, LIVE_MS + 16 * MINUTE_MS, "done")
    now_ms = LIVE_MS + 3 * HOUR_MS
    return StoreReader(tmp_path / "observed.db", tmp_path / "records.db", ENVIRONMENT, None, lambda: now_ms)


def test_what_bears_on_deployments_is_told_newest_first_and_nothing_else(tmp_path: Path) -> None:
    rows = store(tmp_path).deployments(None).lately
    assert [row.kind for row in rows] == ["freeze", "alert", "action", "alert", "migration", "deployment"]
    freeze, over, action, began, _, _ = rows
    assert (freeze.text, freeze.at_ms) == ("the freeze of op1 ran out", LIVE_MS + HOUR_MS)
    assert over.text.endswith(" over after 11 m") and over.state is State.HEALTHY
    assert (action.text, action.state) == ("Roll back: done (op2)", State.HEALTHY)
    assert began.state in (State.UNHEALTHY, State.DEGRADED)


def test_at_an_earlier_moment_only_what_was_known_then(tmp_path: Path) -> None:
    rows = store(tmp_path).deployments(LIVE_MS + 15 * MINUTE_MS + 30_000).lately
    assert [row.kind for row in rows] == ["action", "alert", "migration", "deployment"]
    assert (rows[0].text, rows[0].state) == ("Roll back: not at its end (op2)", None)


def test_without_records_what_was_observed_is_told_all_the_same(tmp_path: Path) -> None:
    reads = store(tmp_path)
    (tmp_path / "records.db").unlink()
    assert [row.kind for row in reads.deployments(None).lately] == ["alert", "alert", "migration", "deployment"]
