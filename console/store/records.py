"""records.db, the people's file: acknowledgements, silences, requests to poll. Never discarded."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, Self, TypeVar

from console.model.ports import EntryKind, Refused
from console.model.views import AlertsView, SilenceRow
from console.store import ballast, damage, files, schema
from console.store.clock import now_ms
from console.store.codec import plain
from console.store.errors import StoreError, StoreFull
from console.store.identity import Who, identity
from console.store.read_open import armed_until_ms
from console.store.read_records import Acknowledgement, silences_at
from console.store.transaction import writing

__all__ = ["AlertBook", "PollBook", "Records", "Who", "identity"]

T = TypeVar("T")

Refusal = Callable[[EntryKind], str]
"""Why this person may not put that on record, asked when they do; empty: they may."""
Conceal = Callable[[str], str]
"""Takes the secrets of the settings out of a text."""
LONGEST_SILENCE_MINUTES = 7 * 24 * 60
TEXT_LIMIT = 500


class Records:
    """records.db for one process; opened with the first use. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create it now, with its ballast. Raises `StoreError` or `UnsuitablePlace`."""
        records = cls(path)
        records._live()
        return records

    def close(self) -> None:
        """Release the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def acknowledge(self, rule: str, subject: str, began_ms: int, by: str, note: str, at_ms: int | None = None) -> None:
        """Record that somebody has seen the alert that began then."""
        self._write(
            "INSERT INTO acknowledgement(at_ms, rule, subject, began_ms, by, note) VALUES (?, ?, ?, ?, ?, ?)",
            (_moment(at_ms), plain(rule), plain(subject), began_ms, plain(by), plain(note)[:TEXT_LIMIT]),
        )

    def silence(self, matcher: str, reason: str, by: str, expires_ms: int, at_ms: int | None = None) -> int:
        """Begin a silence of alerts whose rule or name (`rule/subject`) equals `matcher`; gives its id."""
        return self._write(
            "INSERT INTO silence(began_ms, expires_ms, matcher, reason, by) VALUES (?, ?, ?, ?, ?)",
            (_moment(at_ms), expires_ms, plain(matcher), plain(reason)[:TEXT_LIMIT], plain(by)),
        )

    def end_silence(self, silence_id: int, by: str = "", at_ms: int | None = None) -> bool:
        """End a silence now; False when there is none of that id or it is over."""
        moment_ms = _moment(at_ms)
        if silence_id not in {silence.id for silence in self.active_silences(moment_ms)}:
            return False
        self._write(
            "INSERT OR IGNORE INTO silence_end(silence_id, ended_ms, by) VALUES (?, ?, ?)",
            (silence_id, moment_ms, plain(by)),
        )
        return True

    def disarm(self, who: Who, at_ms: int | None = None) -> bool:
        """End the arming of that person, by a row that has expired as it begins; False when there is none."""
        moment_ms = _moment(at_ms)

        def work(connection: sqlite3.Connection) -> bool:
            if armed_until_ms(connection, moment_ms, who.uid) is None:
                return False
            connection.execute(
                "INSERT INTO arming(uid, operator, reason, began_ms, expires_ms) VALUES (?, ?, 'disarmed', ?, ?)",
                (who.uid, plain(who.words), moment_ms, moment_ms),
            )
            return True

        return self.write(work)

    def active_silences(self, at_ms: int | None = None) -> tuple[SilenceRow, ...]:
        """Silences in force at a moment, newest first."""
        moment_ms = _moment(at_ms)
        found = self.read(lambda connection: silences_at(connection, moment_ms, past=0))
        return tuple(silence for silence in found if silence.ended_ms is None)

    def acknowledgements(self, rule: str, subject: str, began_ms: int) -> tuple[Acknowledgement, ...]:
        """All of one alert, oldest first."""
        rows = self.read(
            lambda connection: connection.execute(
                "SELECT rule, subject, began_ms, by, at_ms, note FROM acknowledgement "
                "WHERE rule = ? AND subject = ? AND began_ms = ? ORDER BY id",
                (rule, subject, began_ms),
            ).fetchall()
        )
        return tuple(Acknowledgement(*row) for row in rows)

    def request_poll(self, at_ms: int | None = None, by: str = "") -> None:
        """Ask the collector to poll everything now."""
        self._write("INSERT INTO poll_request(at_ms, by) VALUES (?, ?)", (_moment(at_ms), plain(by)))

    def take_poll_requests(self) -> int:
        """How many requests came since the last call; they are served by that. Writes only when there are any."""
        newest = self.read(lambda connection: connection.execute("SELECT max(id) FROM poll_request").fetchone()[0])
        if newest is None:
            return 0
        with self._transaction() as connection:
            return connection.execute("DELETE FROM poll_request WHERE id <= ?", (newest,)).rowcount

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work` in one transaction, all of it or nothing; the ballast is freed for it when the disk is full.

        Raises `StoreError` or `UnsuitablePlace`, and what `work` raises.
        """
        try:
            value = self._written(work)
        except StoreFull:
            # What people record matters more than the reserve kept for it.
            if not ballast.free(self._path):
                raise
            return self._written(work)
        ballast.fill(self._path)  # once there is room again
        return value

    # Inside

    def _write(self, statement: str, values: tuple[object, ...]) -> int:
        return self.write(lambda connection: connection.execute(statement, values).lastrowid or 0)

    def _written(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._transaction() as connection:
            return work(connection)

    def read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """What `read` finds. Raises `StoreError` or `UnsuitablePlace`."""
        connection = self._live()
        try:
            return read(connection)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        return writing(self._live(), self._translated)

    def _live(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        files.prepare_directory(self._path.parent)
        files.prepare_file(self._path)
        try:
            connection = files.connect_writer(self._path)
            schema.create_records(connection)
        except sqlite3.Error as error:
            raise self._translated(error) from error
        except schema.WrongSchema as error:
            raise StoreError(f"{self._path}: {error}") from error
        ballast.fill(self._path)
        self._connection = connection
        return connection

    def _translated(self, error: sqlite3.Error) -> StoreError:
        if damage.is_damage(error):
            self.close()
            return StoreError(f"{self._path} is damaged ({error}): it is never discarded, restore it from a backup")
        return damage.in_words(error, self._path)


def _moment(at_ms: int | None) -> int:
    return now_ms() if at_ms is None else at_ms


class _ReadsAlerts(Protocol):
    def alerts(self, at_ms: int | None) -> AlertsView:
        """See `ports.StoreReads`."""


class AlertBook:
    """What an operator does to alerts (`ports.AlertActions`), recorded under their name and without secrets."""

    def __init__(self, records: Records, reader: _ReadsAlerts, who: Who, refusal: Refusal, conceal: Conceal) -> None:
        self._records = records
        self._reader = reader
        self._who = who
        self._refusal = refusal
        self._conceal = conceal

    def acknowledge(self, alert_id: int, note: str) -> str:
        """Record that the caller has seen a firing alert; gives the note as it is on record. Raises `Refused`."""
        refuse(self._refusal("acknowledge"))
        firing = {alert.id: alert for alert in self._reader.alerts(None).firing}
        alert = firing.get(alert_id)
        if alert is None:
            raise Refused(f"alert {alert_id} is not firing (any more)")
        written = self._conceal(note)
        with refusing():
            self._records.acknowledge(alert.rule, alert.subject, alert.began_ms, self._who.words, written)
        return written

    def silence(self, matcher: str, minutes: int, reason: str) -> str:
        """Begin a silence of `minutes`; gives the reason as it is on record. Raises `Refused` without a reason, a
        matcher, or an expiry within 7 days."""
        refuse(self._refusal("silence"))
        if not matcher.strip():
            raise Refused("a silence needs a rule, or rule/subject")
        if not reason.strip():
            raise Refused("a silence needs a reason")
        if not 0 < minutes <= LONGEST_SILENCE_MINUTES:
            raise Refused(f"a silence lasts from 1 to {LONGEST_SILENCE_MINUTES} minutes (7 days)")
        written, until_ms = self._conceal(reason.strip()), minutes * 60_000
        with refusing():
            began_ms = now_ms()
            matched = self._conceal(matcher.strip())
            self._records.silence(matched, written, self._who.words, began_ms + until_ms, began_ms)
        return written

    def end_silence(self, silence_id: int) -> None:
        """End a silence now. Raises `Refused` when it is not in force."""
        refuse(self._refusal("end-silence"))
        with refusing():
            if not self._records.end_silence(silence_id, self._who.words):
                raise Refused(f"silence {silence_id} is not in force (any more)")

    def disarm(self) -> None:
        """From now on this person must give a reason again. Raises `Refused` when they need to anyway."""
        refuse(self._refusal("disarm"))
        with refusing():
            if not self._records.disarm(self._who):
                raise Refused("you are not armed: a reason is asked for anyway")

    def dismiss(self, message_id: int) -> None:
        """Somebody has seen to a message that came to no good. Raises `Refused` when there is none of that number."""
        refuse(self._refusal("dismiss"))
        from console.store import outbox

        with refusing():
            if not outbox.dismiss(self._records, message_id, self._who.words):
                raise Refused(f"message {message_id} is none that failed or whose outcome is unknown (any more)")


class PollBook:
    """`r`: asks the collector to poll now (`ports.PollRequests`)."""

    def __init__(self, records: Records, who: Who, refusal: Refusal) -> None:
        self._records = records
        self._who = who
        self._refusal = refusal

    def poll_now(self) -> None:
        """Write the request. Raises `Refused`."""
        refuse(self._refusal("poll"))
        with refusing():
            self._records.request_poll(by=self._who.words)


def refuse(why: str) -> None:
    """Raise `Refused` with these words, if there are any."""
    if why:
        raise Refused(why)


@contextmanager
def refusing() -> Iterator[None]:
    """What the store cannot take is refused to whoever wanted it."""
    try:
        yield
    except (StoreError, files.UnsuitablePlace) as error:
        raise Refused(str(error)) from error
