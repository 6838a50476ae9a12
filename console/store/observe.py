"""The collector's half of the store: it alone writes observed.db, while it holds the lease."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from console.model.configuration import Thresholds
from console.model.judgement import AlertChange, Judgement
from console.model.metric_views import BurnRate
from console.model.observation import Event, Observation, Sample
from console.model.states import State
from console.store import damage, files, integrity, lookback, memory, packing, pulse, read_slo, retention, schema
from console.store.clock import Clock, SystemClock
from console.store.errors import LeaseLost, StoreBusy, StoreDamaged, StoreError, StoreFull
from console.store.lease import Holder, Lease, LeaseRow, check, may_take, read_lease, take
from console.store.lookback import Seen
from console.store.names import BLOCK_MS
from console.store.rounds import RoundWriter
from console.store.slo_counts import Closed
from console.store.timeline import era_of, position_of
from console.store.transaction import writing

__all__ = ["Holder", "Lease", "LeaseLost", "ObservedStore", "StoreBusy", "StoreDamaged", "StoreError", "StoreFull"]

T = TypeVar("T")

CHECKPOINT_BYTES = 4 * 1024 * 1024
TRUNCATE_BYTES = 64 * 1024 * 1024
SLOTS_A_CALL = 6
RETENTION_PAUSE_MS = 600_000
CHECK_PAUSE_MS = 300_000
CHECK_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What a call of `maintain` did."""

    packed_slots: int
    deleted_rows: int


class ObservedStore:
    """observed.db, for one collector. Not for two threads at once. All writes are short and fenced by the epoch."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._memory: memory.Memory | None = None
        self._closed = Closed()
        self._full_since_ms: int | None = None
        self._retained_boot_ms: int | None = None
        self._checked_boot_ms = self._clock.boot_ms()
        self._folded_bytes = 0

    @classmethod
    def open(cls, path: Path, clock: Clock | None = None) -> Self:
        """Open or create. A damaged file is set aside and begun anew; raises `StoreError` or `UnsuitablePlace`."""
        store = cls(path, clock or SystemClock())
        files.prepare_directory(path.parent)
        with suppress(StoreDamaged):  # set aside, begun anew, and told by an event in the new file
            store._connect()
            if store._size_bytes() <= CHECK_BYTES:
                store._check()
        return store

    def close(self) -> None:
        """Close the file; the lease is left as it is."""
        if self._connection is not None:
            with suppress(sqlite3.Error):  # closing a damaged file may fail; there is nothing left to do with it
                self._connection.close()
        self._connection = self._memory = None

    # The lease

    def acquire(self, holder: Holder) -> Lease | None:
        """Take the lease, or None while another holds it (see `lease_row` for who). Raises `StoreError`."""
        if not may_take(self.lease_row(), holder, self._clock):
            return None  # who waits for it takes no lock
        with self._transaction() as connection:
            row = read_lease(connection)
            if not may_take(row, holder, self._clock):
                return None
            self._memory = None  # another may have written since we last did
            if row is not None:
                pulse.resume(connection, row, self._clock)
            return take(connection, row, holder, self._clock)

    def lease_row(self) -> LeaseRow | None:
        """Who holds the lease, as stored."""
        return self._read(read_lease)

    def renew(self, lease: Lease) -> None:
        """Show that the holder lives, in a round that writes nothing else. Raises `LeaseLost`."""
        with self._fenced(lease) as (connection, row):
            pulse.renew(connection, row, self._clock)

    def release(self, lease: Lease) -> None:
        """Give the lease back, so that another can take it at once. Does nothing when it is lost already."""
        try:
            with self._fenced(lease) as (connection, row):
                pulse.renew(connection, row, self._clock)
                connection.execute("UPDATE lease SET released = 1")
        except LeaseLost:
            return

    # Writing

    def write_round(
        self,
        lease: Lease,
        at_ms: int,
        observations: Sequence[Observation],
        judgement: Judgement | None,
        intervals: Mapping[str, float],
    ) -> None:
        """Store one round in one transaction and renew the lease.

        `intervals`: seconds between polls of each target as they are now, also of targets not in this round; the
        least of them is the interval of the judgement, unless `verdict` names one. Raises `LeaseLost`, or `StoreError`
        when nothing could be written.
        """
        with self._fenced(lease) as (connection, row):
            at = pulse.advance(connection, row, self._clock, at_ms)
            self._note_recovery(connection, at)
            writer = RoundWriter(connection, self._remembered(connection), at, intervals)
            writer.observations(observations)
            if judgement is not None:
                writer.judgement(judgement)
        self._checkpoint_when_large(lease)

    def maintain(self, lease: Lease, now_ms: int) -> Maintained:
        """Close what is complete, delete what is no longer kept, fold in the log, look for damage.

        Cheap when there is nothing to do; call it every few seconds. Each part is a short fenced transaction; what is
        left over is done by the next call. Raises as `write_round` does.
        """
        packed = 0
        while packed < SLOTS_A_CALL and self._pack_oldest(lease, now_ms):
            packed += 1
        deleted = self._retain(lease)
        self._checkpoint_when_large(lease)
        self._look_for_damage()
        return Maintained(packed_slots=packed, deleted_rows=deleted)

    def _pack_oldest(self, lease: Lease, now_ms: int) -> bool:
        if not self._read(lambda connection: packing.waits(connection, _position(read_lease(connection), now_ms))):
            return False  # nothing to close: no lock is taken
        with self._fenced(lease) as (connection, row):
            now = _position(row, now_ms)
            slot = packing.oldest_slot(connection)
            complete = slot is not None and packing.is_complete(slot, BLOCK_MS, now)
            if slot is not None and complete:
                packing.pack(connection, self._remembered(connection), slot)
            packing.close_hours(connection, now)
        return complete

    def _retain(self, lease: Lease) -> int:
        boot_ms = self._clock.boot_ms()
        if self._retained_boot_ms is not None and boot_ms - self._retained_boot_ms < RETENTION_PAUSE_MS:
            return 0
        with self._fenced(lease) as (connection, row):
            deleted = retention.apply(connection, row.odometer_ms + pulse.elapsed_ms(row, self._clock))
        self._retained_boot_ms = boot_ms
        return deleted

    def _look_for_damage(self) -> None:
        """Read the file as a reader would, from time to time; seldom when it is large (0.03 % of a core)."""
        boot_ms = self._clock.boot_ms()
        if boot_ms < self._checked_boot_ms + CHECK_PAUSE_MS * max(1, self._size_bytes() // CHECK_BYTES):
            return
        self._checked_boot_ms = boot_ms
        self._check()

    def _check(self) -> None:
        try:
            integrity.check(self._path)
        except sqlite3.Error as error:
            if damage.is_damage(error):
                raise self._translated(error) from error

    # Reading at start

    def open_alerts(self) -> tuple[AlertChange, ...]:
        """Alerts that have begun and not ended."""
        return self._read(lookback.open_alerts)

    def last_observation(self, target: str) -> Seen | None:
        """The newest span of a target as an observation (without samples and volatile values)."""
        return self._read(lambda connection: lookback.last_observation(connection, target))

    def recent_events(self, most: int) -> tuple[Event, ...]:
        """The `most` events that happened last, oldest first."""
        return self._read(lambda connection: lookback.recent_events(connection, most))

    def component_states(self) -> Mapping[str, tuple[State, int]]:
        """Each component's last state and since when (ms), as judged."""
        return self._read(lookback.component_states)

    def recent_samples(self, series: str, since_ms: int) -> list[tuple[int, Sample]]:
        """(ms, sample) of a series `TARGET|METRIC` from `since_ms` on, oldest first, as far as raw samples are kept."""
        return self._read(
            lambda connection: lookback.recent_samples(connection, series, since_ms, self._clock.wall_ms())
        )

    def burn_rates(self, limits: Thresholds) -> Mapping[str, tuple[BurnRate, ...]]:
        """How fast the error budgets burn, by the keys of the targets that alert on it. Some ms; once a minute."""
        now_ms = self._clock.wall_ms()
        return self._read(
            lambda connection: read_slo.burn_rates(lookback.moment_of(connection, now_ms), limits, self._closed)
        )

    # Inside

    def _connect(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        files.prepare_file(self._path)
        inode = files.inode_of(self._path)
        try:
            connection = files.connect_writer(self._path)
            schema.create_observed(connection)
        except sqlite3.Error as error:
            if damage.is_damage(error):
                self._begin_anew(inode, str(error))
            raise damage.in_words(error, self._path) from error
        except schema.WrongSchema as error:
            raise StoreError(f"{self._path}: {error}") from error
        self._connection, self._inode, self._memory = connection, inode, None
        self._closed = Closed()
        return connection

    def _begin_anew(self, inode: tuple[int, int] | None, why: str) -> None:
        """Set the damaged file aside, begin another with an event, and raise `StoreDamaged`."""
        self.close()
        aside = damage.set_aside(self._path, inode, self._clock.wall_ms())
        connection = self._connect()
        words = f"observed.db was damaged ({why})"
        words += f": set aside as {aside.name}, begun anew" if aside else ": begun anew"
        self._tell_anew(connection, words)
        raise StoreDamaged(words)

    def _tell_anew(self, connection: sqlite3.Connection, words: str) -> None:
        """An event in a file that nobody holds yet; where somebody does, it is theirs to write."""
        now_ms = self._clock.wall_ms()
        connection.execute("BEGIN IMMEDIATE")
        try:
            if read_lease(connection) is None:
                pulse.note(connection, now_ms, f"store/{now_ms}/anew", words, kind="store")
        finally:
            connection.execute("COMMIT")

    def _remembered(self, connection: sqlite3.Connection) -> memory.Memory:
        if self._memory is None:
            self._memory = memory.load(connection)
        return self._memory

    def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._live()
        try:
            return read(connection)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    @contextmanager
    def _fenced(self, lease: Lease) -> Iterator[tuple[sqlite3.Connection, LeaseRow]]:
        """A writing transaction whose first statement checks the epoch."""
        try:
            with self._transaction() as connection:
                yield connection, check(connection, lease)
        except LeaseLost:
            self._memory = None
            raise

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with writing(self._live(), self._translated) as connection:
                yield connection
        except BaseException:
            self._memory = None  # it may know of rows that are rolled back
            raise

    def _live(self) -> sqlite3.Connection:
        """The connection, opened again when the file was removed or replaced under its name."""
        if self._connection is not None and files.inode_of(self._path) != self._inode:
            self.close()
            self._tell_anew(self._connect(), "observed.db was removed: begun anew")
            raise StoreDamaged("observed.db was removed or replaced: opened anew")
        return self._connect()

    def _translated(self, error: sqlite3.Error) -> StoreError:
        if damage.is_damage(error):
            try:
                self._begin_anew(self._inode, str(error))
            except StoreError as anew:
                return anew
        words = damage.in_words(error, self._path)
        if isinstance(words, StoreFull) and self._full_since_ms is None:
            self._full_since_ms = self._clock.wall_ms()
        return words

    def _note_recovery(self, connection: sqlite3.Connection, at: int) -> None:
        if self._full_since_ms is None:
            return
        seconds = (self._clock.wall_ms() - self._full_since_ms) / 1000
        text = f"the disk was full for {seconds:.0f} s: rounds of that time are missing, what was stored is kept"
        pulse.note(connection, at, f"store/{at}/full", text, kind="store")
        self._full_since_ms = None

    @property
    def _log_path(self) -> Path:
        return self._path.with_name(self._path.name + "-wal")

    def _size_bytes(self) -> int:
        with suppress(OSError):
            return self._path.stat().st_size
        return 0

    def _checkpoint_when_large(self, lease: Lease) -> None:
        """Fold the log in when it grew by 4 MiB. A reader may hinder that; then it is tried again 4 MiB later."""
        with suppress(OSError, sqlite3.Error):  # a log that cannot be folded in now is folded in later
            size = self._log_path.stat().st_size
            if size < self._folded_bytes:  # it began anew, and was cut to `journal_size_limit`
                self._folded_bytes = 0
            if size < self._folded_bytes + CHECKPOINT_BYTES or self._connection is None:
                return
            row = read_lease(self._connection)
            if row is None or row.epoch != lease.epoch:  # stopped since our commit: another folds it in now
                return
            self._folded_bytes = size
            _fold_in("TRUNCATE" if size > TRUNCATE_BYTES else "PASSIVE", self._connection)


def _position(row: LeaseRow | None, now_ms: int) -> int:
    """Where the store's time stands: no earlier than its newest round."""
    return max(row.last_at, position_of(era_of(row.last_at), now_ms)) if row else now_ms


def _fold_in(mode: str, connection: sqlite3.Connection) -> None:
    """Without waiting for readers: one that is stopped in the middle of a read would hold up every round."""
    connection.execute("PRAGMA busy_timeout = 0").fetchall()
    try:
        connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(files.WRITE_WAIT_S * 1000)}").fetchall()
