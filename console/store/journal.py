"""The journal of actions in records.db: write-ahead, append-only but for a run's end, exclusive by a unique index."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TypeVar

from console.model.actions import ARMED_MS, OPEN_OUTCOMES, REASON_LIMIT, Holding, RunOutcome, StepOutcome, StepResult
from console.model.observation import Json
from console.store import audit, audited
from console.store.clock import now_ms
from console.store.codec import plain
from console.store.errors import StoreBusy
from console.store.identity import Who
from console.store.records import Records

T = TypeVar("T")

PERSIST_S = 300.0
"""How long a run that goes on waits for a file that somebody keeps locked."""
PROGRESS = audited.PROGRESS
WORSE = "worse"
"""In the data of a step that saw things worse than before."""


class Busy(Exception):
    """Another run holds the exclusion; the text names it and its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A run before its first step."""

    token: str
    action: str
    title: str
    target: str
    risk: str
    exclusion: str | None
    plan: str
    """The plan as JSON."""
    reason: str
    authority: str
    host: str
    pid: int
    boot_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun(Beginning):
    """A run as it stands in the file."""

    id: int
    began_ms: int
    operator: str
    operator_uid: int
    ended_ms: int | None
    outcome: RunOutcome | None
    words: str


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One line of a run: `intended`, `progress`, or how a step ended."""

    at_ms: int
    step: str
    outcome: str
    words: str
    data: str


_RUN = (
    "token, action, title, target, risk, exclusion, plan, reason, authority, host, pid, boot_id, id, began_ms, "
    "operator, operator_uid, ended_ms, outcome, words"
)
_RUN_NAMES = [name.strip() for name in _RUN.split(",")]


class Journal:
    """Writes runs. Every method is one transaction, on the disk when it returns. Raises `StoreError` besides."""

    def __init__(self, records: Records, who: Who, conceal: Callable[[str], str] = lambda text: text) -> None:
        """`conceal` takes secrets out of every text before it is written."""
        self._records = records
        self._who = who
        self._conceal = conceal

    def begin(self, run: Beginning, *, arms: bool = False) -> tuple[int, tuple[audit.Entry, ...]]:
        """The run's row and its audit entry; the run's id. `arms`: with its reason this person need give none for
        fifteen minutes. Raises `Busy`."""

        def work(connection: sqlite3.Connection) -> tuple[int, tuple[audit.Entry, ...]]:
            moment_ms = now_ms()
            self._refuse_busy(connection, run.exclusion)
            fields = asdict(run)
            names = [*fields, "began_ms", "operator", "operator_uid"]
            values = [self._plain(value) if isinstance(value, str) else value for value in fields.values()]
            marks = ", ".join("?" * len(names))
            row = connection.execute(
                f"INSERT INTO run({', '.join(names)}) VALUES ({marks})",
                (*values, moment_ms, self._who.words, self._who.uid),
            ).lastrowid
            told = {"run": run.token, **audited.beginning(connection, row or 0)}
            entry = self._audit(connection, "begun", run.target, f"{run.title}: {run.reason}", told)
            return row or 0, (entry, self._armed(connection, run.reason)) if arms else (entry,)

        return self._records.write(work)

    def _refuse_busy(self, connection: sqlite3.Connection, exclusion: str | None) -> None:
        row = connection.execute(
            "SELECT id, title, operator FROM run WHERE exclusion = ? AND ended_ms IS NULL", (exclusion,)
        ).fetchone()
        if row is not None:
            raise Busy(f"run {row[0]} is not at its end: {row[1]} ({row[2]}); see radar actions {row[0]}")

    def intend(self, run_id: int, step: str) -> None:
        """Before the step runs."""
        self._persist(lambda c: self._insert(c, run_id, step, StepOutcome.INTENDED, "", "{}"))

    def progress(self, run_id: int, step: str, words: str) -> None:
        """How a step goes on; where the file is locked this word of it is left out, the next one follows."""
        with suppress(StoreBusy):
            self._enter(run_id, step, PROGRESS, words, "{}")

    def conclude(self, run_id: int, step: str, result: StepResult) -> None:
        """How a step ended, with what it left behind or took away."""

        def work(connection: sqlite3.Connection) -> None:
            data = {**result.data, **({WORSE: True} if result.worse else {})}
            self._insert(connection, run_id, step, result.outcome, result.words, json.dumps(data))
            for kind, subject in result.releases:
                self._release(connection, kind, subject)
            for holding in result.holds:
                self._hold(connection, holding, run_id)

        self._persist(work)

    def end(self, run_id: int, outcome: RunOutcome, words: str) -> audit.Entry:
        """The run's end and its audit entry; an outcome that is no end leaves the run open."""

        def work(connection: sqlite3.Connection) -> audit.Entry:
            ended_ms = None if outcome in OPEN_OUTCOMES else now_ms()
            connection.execute(
                "UPDATE run SET ended_ms = ?, outcome = ?, words = ? WHERE id = ? AND ended_ms IS NULL",
                (ended_ms, outcome, self._plain(words), run_id),
            )
            return self._audit_of(connection, run_id, str(outcome), words)

        return self._persist(work)

    def adopt(self, run_id: int, pid: int, boot_id: str, host: str) -> audit.Entry:
        """Another process goes on with an interrupted run."""

        def work(connection: sqlite3.Connection) -> audit.Entry:
            connection.execute(
                "UPDATE run SET pid = ?, boot_id = ?, host = ?, outcome = NULL WHERE id = ? AND ended_ms IS NULL",
                (pid, boot_id, host, run_id),
            )
            return self._audit_of(connection, run_id, "resumed")

        return self._records.write(work)

    # Arming

    def arm(self, reason: str) -> audit.Entry:
        """For fifteen minutes this person need give no reason again."""
        return self._records.write(lambda connection: self._armed(connection, reason))

    def _armed(self, connection: sqlite3.Connection, reason: str) -> audit.Entry:
        moment_ms = now_ms()
        connection.execute(
            "INSERT INTO arming(uid, operator, reason, began_ms, expires_ms) VALUES (?, ?, ?, ?, ?)",
            (self._who.uid, self._who.words, self._plain(reason)[:REASON_LIMIT], moment_ms, moment_ms + ARMED_MS),
        )
        return self._audit(connection, "armed", "", reason, {})

    def armed(self) -> str:
        """The reason under which this person is armed now; empty: not armed."""
        row = self._records.read(
            lambda connection: connection.execute(
                # The newest only: one that was given while the clock was wrong must not come to life again.
                "SELECT reason FROM arming WHERE id = (SELECT max(id) FROM arming WHERE uid = ?1 AND began_ms <= ?2) "
                "AND expires_ms > ?2",
                (self._who.uid, now_ms()),
            ).fetchone()
        )
        return str(row[0]) if row else ""

    # Reads that the runner needs

    def find(self, token: str) -> StoredRun | None:
        """A run by its token."""
        return self._records.read(lambda connection: _find(connection, token))

    def open_runs(self) -> tuple[StoredRun, ...]:
        """Runs that are not at their end, oldest first."""
        return self._records.read(
            lambda connection: tuple(
                _stored(row) for row in connection.execute(f"SELECT {_RUN} FROM run WHERE ended_ms IS NULL ORDER BY id")
            )
        )

    def entries(self, run_id: int) -> tuple[RunEntry, ...]:
        """All lines of a run, oldest first."""
        return self._records.read(lambda connection: entries_of(connection, run_id))

    # Inside

    def _persist(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What a run that goes on must write: a reader that keeps its transaction open does not end the run. Each try
        waits two seconds itself."""
        until_s = time.monotonic() + PERSIST_S
        while True:
            try:
                return self._records.write(work)
            except StoreBusy:
                if time.monotonic() > until_s:
                    raise

    def _enter(self, run_id: int, step: str, outcome: str, words: str, data: str) -> None:
        self._records.write(lambda connection: self._insert(connection, run_id, step, outcome, words, data))

    def _insert(
        self, connection: sqlite3.Connection, run_id: int, step: str, outcome: str, words: str, data: str
    ) -> None:
        connection.execute(
            "INSERT INTO run_entry(run_id, at_ms, step, outcome, words, data) VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, now_ms(), step, str(outcome), self._plain(words), self._plain(data)),
        )

    def _plain(self, text: str) -> str:
        return plain(self._conceal(text))

    def _hold(self, connection: sqlite3.Connection, holding: Holding, run_id: int) -> None:
        request = json.dumps(asdict(holding.request)) if holding.request else ""
        if holding.continues and connection.execute(
            "UPDATE holding SET text = ?, expires_ms = ?, undo = ?, request = ? "
            "WHERE kind = ? AND subject = ? AND ended_ms IS NULL",
            (self._plain(holding.text), holding.expires_ms, holding.undo, request, holding.kind,
             plain(holding.subject)),
        ).rowcount:  # fmt: skip
            return
        self._release(connection, holding.kind, holding.subject)
        connection.execute(
            "INSERT INTO holding(run_id, kind, subject, text, owner, began_ms, expires_ms, undo, request) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run_id, holding.kind, plain(holding.subject), self._plain(holding.text), self._who.words, now_ms(),
             holding.expires_ms, holding.undo, request),
        )  # fmt: skip

    def _release(self, connection: sqlite3.Connection, kind: str, subject: str) -> None:
        connection.execute(
            "UPDATE holding SET ended_ms = ?, ended_by = ? WHERE kind = ? AND subject = ? AND ended_ms IS NULL",
            (now_ms(), self._who.words, kind, plain(subject)),
        )

    def _audit_of(self, connection: sqlite3.Connection, run_id: int, kind: str, words: str = "") -> audit.Entry:
        """What befell a run, with all its lines so far: `audit verify` compares them."""
        token, target, title = connection.execute(
            "SELECT token, target, title FROM run WHERE id = ?", (run_id,)
        ).fetchone()
        told = {"run": token, **audited.so_far(connection, run_id)}
        return self._audit(connection, kind, target, f"{title}: {words}" if words else title, told)

    def _audit(
        self, connection: sqlite3.Connection, kind: str, subject: str, words: str, data: Mapping[str, Json]
    ) -> audit.Entry:
        fact = audit.Fact(kind, self._conceal(subject), self._conceal(words), data)
        return audit.append(connection, now_ms(), self._who, fact)


def entries_of(connection: sqlite3.Connection, run_id: int, until_ms: int = 1 << 62) -> tuple[RunEntry, ...]:
    """All lines of a run up to a moment, oldest first."""
    rows = connection.execute(
        "SELECT at_ms, step, outcome, words, data FROM run_entry WHERE run_id = ? AND at_ms <= ? ORDER BY id",
        (run_id, until_ms),
    )
    return tuple(RunEntry(*row) for row in rows)


def stored_runs(connection: sqlite3.Connection, where: str, values: Sequence[object]) -> tuple[StoredRun, ...]:
    """Runs by a condition of ours, such as `began_ms <= ? ORDER BY id DESC LIMIT 50`."""
    return tuple(_stored(row) for row in connection.execute(f"SELECT {_RUN} FROM run WHERE {where}", values))


def _find(connection: sqlite3.Connection, token: str) -> StoredRun | None:
    row = connection.execute(f"SELECT {_RUN} FROM run WHERE token = ?", (token,)).fetchone()
    return _stored(row) if row else None


def _stored(row: Sequence[object]) -> StoredRun:
    values = dict(zip(_RUN_NAMES, row, strict=True))
    outcome = values["outcome"]
    values["outcome"] = RunOutcome(str(outcome)) if outcome is not None else None
    values["words"] = values["words"] or ""
    return StoredRun(**values)  # type: ignore[arg-type]  # the columns' types are the fields'
