"""The lease: which collector may write observed.db. All time here is CLOCK_BOOTTIME of one boot."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.store.clock import Clock
from console.store.errors import LeaseLost

TAKEOVER_MS = 15_000
# A collector with other settings may not take over from a dead one; but after this long nobody with the old settings
# is coming back (the settings were edited while it was down), and a store that no one may write helps nobody.
ABANDONED_MS = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who wants to write. `identities` names settings and fingerprints of credentials, never secrets themselves."""

    name: str
    pid: int
    boot_id: str
    fingerprint: str
    identities: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """`user@host pid`."""
        return f"{self.name} {self.pid}"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write, while the stored epoch is this one."""

    epoch: int
    holder: Holder


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The stored lease."""

    epoch: int
    released: bool
    holder: Holder
    renewed_boot_ms: int
    renewed_ms: int
    last_at: int
    odometer_ms: int

    def silent_ms(self, clock: Clock) -> int:
        """Ms since it was renewed; after a reboot at least the time since boot, and it can only be dead."""
        if self.holder.boot_id != clock.boot_id:
            return max(clock.boot_ms(), TAKEOVER_MS)
        return clock.boot_ms() - self.renewed_boot_ms

    def alive(self, clock: Clock) -> bool:
        """Whether its holder renewed it in the last 15 s of this boot."""
        return not self.released and self.silent_ms(clock) < TAKEOVER_MS


def read_lease(connection: sqlite3.Connection) -> LeaseRow | None:
    """The lease as stored, or None when nobody ever held it."""
    row = connection.execute(
        "SELECT epoch, released, holder, pid, boot_id, fingerprint, identities, renewed_boot_ms, renewed_ms, last_at, "
        "odometer_ms FROM lease"
    ).fetchone()
    if row is None:
        return None
    holder = Holder(name=row[2], pid=row[3], boot_id=row[4], fingerprint=row[5], identities=json.loads(row[6]))
    return LeaseRow(row[0], bool(row[1]), holder, row[7], row[8], row[9], row[10])


def may_take(row: LeaseRow | None, holder: Holder, clock: Clock) -> bool:
    """Whether `holder` may take the lease now."""
    if row is None or row.released or not row.holder.name:
        return True
    silent_ms = row.silent_ms(clock)
    return silent_ms >= (TAKEOVER_MS if row.holder.fingerprint == holder.fingerprint else ABANDONED_MS)


def take(connection: sqlite3.Connection, row: LeaseRow | None, holder: Holder, clock: Clock) -> Lease:
    """Write the holder into the lease with the next epoch. Inside the caller's transaction."""
    epoch = row.epoch + 1 if row else 1
    connection.execute(
        "INSERT INTO lease(id, epoch, released, holder, pid, boot_id, fingerprint, identities, renewed_boot_ms, "
        "renewed_ms, last_at, odometer_ms) VALUES (1, ?, 0, ?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT(id) DO UPDATE SET "
        "epoch = excluded.epoch, released = 0, holder = excluded.holder, pid = excluded.pid, "
        "boot_id = excluded.boot_id, fingerprint = excluded.fingerprint, identities = excluded.identities, "
        "renewed_boot_ms = excluded.renewed_boot_ms, renewed_ms = excluded.renewed_ms",
        (
            epoch,
            holder.name,
            holder.pid,
            clock.boot_id,
            holder.fingerprint,
            json.dumps(dict(holder.identities)),
            clock.boot_ms(),
            clock.wall_ms(),
        ),
    )
    return Lease(epoch, holder)


def check(connection: sqlite3.Connection, lease: Lease) -> LeaseRow:
    """The stored lease, when it is still ours. Raises `LeaseLost` in words; first statement of every write."""
    row = read_lease(connection)
    if row is None:
        raise LeaseLost("nobody holds the lease: the store was begun anew, nothing was written")
    # A store that was begun anew counts its epochs from 1 again, so the holder counts too.
    ours = row.epoch == lease.epoch and (row.holder.name, row.holder.pid) == (lease.holder.name, lease.holder.pid)
    if ours and not row.released:
        return row
    if ours:
        raise LeaseLost("the lease was released: nothing was written")
    raise LeaseLost(f"{row.holder.words} took over as epoch {row.epoch} (ours was {lease.epoch}): nothing was written")


def difference(holder: Holder, fingerprint: str | None, identities: Mapping[str, str] | None) -> str | None:
    """In words how the holder's settings differ from ours; None: the same, or ours are not known."""
    if fingerprint is None or fingerprint == holder.fingerprint:
        return None
    theirs, ours = dict(holder.identities), dict(identities or {})
    if not theirs or not ours:
        return "other targets, thresholds or credentials than ours"
    unlike = [key for key in sorted(theirs.keys() & ours.keys()) if theirs[key] != ours[key]]
    parts = [f"{key} {theirs[key]} (ours {ours[key]})" for key in unlike]
    parts += [f"{key} only there" for key in sorted(theirs.keys() - ours.keys())]
    parts += [f"{key} only here" for key in sorted(ours.keys() - theirs.keys())]
    shown = ", ".join(parts[:4]) + (f" and {len(parts) - 4} more" if len(parts) > 4 else "")
    return shown or "other settings than ours"
