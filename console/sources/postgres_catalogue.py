"""Sizes, replication, dead rows, migrations and slow statements: read apart, since some of it waits for locks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from console.model.observation import Event, Json, Observation, Origin, Outcome, Sample
from console.model.states import State
from console.sources import postgres_rows as rows
from console.sources.base import Polled
from console.sources.faults import Fault
from console.sources.postgres_canary import unanswered
from console.sources.postgres_faults import NoConnection
from console.sources.postgres_rows import T, decode, line
from console.sources.postgres_session import Session, query, query_in

TARGET = "postgres.catalogue"
TIMEOUT_S = 30.0
PART_BUDGET_S = 4.0  # above the session's own statement_timeout, which gives the better words
WHOLE_BUDGET_S = 25.0


@dataclass(frozen=True, slots=True)
class _Migrations:
    """One table of applied migrations: how many, and the latest."""

    count: int
    version: str | None
    name: str | None


@dataclass(slots=True)
class _Reading:
    """What one poll collects, part by part."""

    facts: dict[str, Json] = field(default_factory=dict)
    samples: dict[str, Sample] = field(default_factory=dict)
    volatile: dict[str, Json] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    unread: dict[str, Json] = field(default_factory=dict)
    statements_schema: str | None = None


class CatalogueSource(Polled):
    """`postgres.catalogue`: each part on its own; one that waits or fails costs only its own figures."""

    def __init__(self, session: Session, *, interval_s: float) -> None:
        super().__init__(TARGET, interval_s=interval_s, timeout_s=TIMEOUT_S)
        self._session = session
        self._position: tuple[int, float] | None = None
        self._migrations: dict[str, _Migrations] = {}

    async def observe(self) -> Observation:
        """Ask once, part by part."""
        reading, ends = _Reading(), time.monotonic() + WHOLE_BUDGET_S
        failure: Fault | None = None
        read = 0
        for name, part in self._parts().items():
            try:
                if time.monotonic() > ends:
                    break
                await part(reading)
                read += 1
            except Fault as fault:
                if isinstance(fault, NoConnection) or fault.state is State.UNHEALTHY:  # the server, not this part
                    return unanswered(TARGET, fault)
                failure = fault
                reading.unread[name] = fault.words
        return unanswered(TARGET, failure) if failure is not None and not read else _observation(reading)

    async def close(self) -> None:
        """Release the connection."""
        await self._session.close()

    def _parts(self) -> Mapping[str, Callable[[_Reading], Awaitable[None]]]:
        return {
            "database size": self._database,
            "replication": self._replication,
            "dead rows": self._tables,
            "migrations": self._applied,
            "statements": self._statements,
            "largest tables": self._largest,
        }

    async def _ask(self, statement: str, kind: type[T]) -> T:
        answer = await self._session.ask(statement, budget_s=PART_BUDGET_S)
        return decode(answer.raw, kind)

    async def _database(self, reading: _Reading) -> None:
        found = await self._ask(query("database"), rows.Database)
        reading.facts["extensions"] = [line(name, 63) for name in found.extensions]
        reading.statements_schema = found.statements_schema
        _put(reading.samples, "database_bytes", found.database_bytes)
        _put(reading.samples, "slots_retained_bytes", found.slots_retained_bytes)

    async def _replication(self, reading: _Reading) -> None:
        found = await self._ask(query("replication"), rows.Replication)
        now, before = time.monotonic(), self._position
        self._position = (found.position_bytes, now) if found.position_bytes is not None else None
        if before is not None and self._position is not None and self._position[0] >= before[0]:
            reading.samples["wal_bytes_per_s"] = (self._position[0] - before[0]) / max(now - before[1], 0.001)
        lags = [replica.lag_bytes for replica in found.replicas if replica.lag_bytes is not None]
        _put(reading.samples, "replica_lag_bytes", max(lags, default=found.behind_bytes))
        names: list[Json] = [line(replica.name, 63) for replica in found.replicas]
        reading.facts |= {"in_recovery": found.in_recovery, "replicas": names}
        reading.volatile["replicas"] = [_replica(replica) for replica in found.replicas]

    async def _tables(self, reading: _Reading) -> None:
        found = await self._ask(query("tables"), rows.Tables)
        reading.samples["dead_tuples"] = float(found.dead)
        reading.volatile["dead_tuples"] = [
            {"name": line(table.name, 130), "live": table.live, "dead": table.dead, "vacuumed_ms": table.vacuumed_ms}
            for table in found.tables
        ]

    async def _largest(self, reading: _Reading) -> None:
        found = await self._ask(query("largest"), rows.Largest)
        reading.volatile["largest"] = [
            {"name": line(relation.name, 130), "bytes": relation.bytes} for relation in found.largest
        ]

    async def _statements(self, reading: _Reading) -> None:
        if reading.statements_schema is None:
            return
        found = await self._ask(query_in("statements", reading.statements_schema), rows.Statements)
        reading.volatile["statements"] = [
            {
                "id": line(statement.id, 30),
                "calls": statement.calls,
                "total_ms": round(statement.total_ms, 1),
                "mean_ms": round(statement.mean_ms, 3),
                "rows": statement.rows,
                "query": line(statement.query),
            }
            for statement in found.statements
        ]

    async def _applied(self, reading: _Reading) -> None:
        """The latest applied migration: None where there is none, absent where we may not know.

        The Supabase CLI's table comes before the application's own.
        """
        tables = (await self._ask(query("migrations"), rows.MigrationTables)).tables
        latest: _Migrations | None = None
        for table in tables:
            if not table.readable:
                reading.unread["migrations"] = "our role may not read it"
                continue
            found = await self._latest(table.schema)
            reading.events += _applied_since(self._migrations.get(table.schema), found, table.schema)
            self._migrations[table.schema] = found
            latest = found if latest is None or latest.version is None else latest
        if latest is not None and latest.version is not None:
            reading.facts["latest_migration"] = {"version": latest.version, "name": latest.name}
        elif "migrations" not in reading.unread:
            reading.facts["latest_migration"] = None

    async def _latest(self, schema: str) -> _Migrations:
        found = await self._ask(query_in("latest_migration", schema), rows.LatestMigration)
        row = found.latest or {}
        return _Migrations(found.count, _text(row.get("version")), _text(row.get("name")))


def _observation(reading: _Reading) -> Observation:
    unread = ", ".join(f"{name} ({why})" for name, why in reading.unread.items())
    return Observation(
        target=TARGET,
        outcome=Outcome.ANSWERED,
        state=State.HEALTHY,
        words=f"not read: {unread}" if unread else "sizes, replication and migrations read",
        origin=Origin.SQL,
        facts=reading.facts | ({"unread": reading.unread} if reading.unread else {}),
        samples=reading.samples,
        volatile=reading.volatile,
        events=tuple(reading.events),
    )


def _applied_since(before: _Migrations | None, now: _Migrations, schema: str) -> list[Event]:
    """The event of a migration that somebody applied, or took back, since the poll before."""
    if before is None or before == now:
        return []
    name = " ".join(word for word in (now.version, now.name) if word) or "none"
    if now.count < before.count:
        text = f"migration taken back, the latest is now {name}"
    elif now.version != before.version:
        text = f"migration {name} applied"
    else:
        text = f"an older migration applied, the latest is still {name}"
    return [
        Event(
            at_ms=time.time_ns() // 1_000_000,
            kind="migration",
            subject=f"{schema}.schema_migrations",
            text=text,
            key=f"migration/{schema}/{now.version}/{now.count}",
            data={"version": now.version, "name": now.name, "count": now.count},
        )
    ]


def _replica(replica: rows.Replica) -> dict[str, Json]:
    return {
        "name": line(replica.name, 63),
        "client": line(replica.client, 63),
        "state": line(replica.state, 40),
        "sync": line(replica.sync, 40),
        "lag_bytes": replica.lag_bytes,
        "lag_s": rows.seconds(replica.lag_s),
    }


def _put(samples: dict[str, Sample], name: str, value: int | None) -> None:
    """A figure that is not known has no sample."""
    if value is not None:
        samples[name] = float(value)


def _text(value: object) -> str | None:
    return line(str(value), 120) if isinstance(value, str | int) else None
