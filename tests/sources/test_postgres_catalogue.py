"""The catalogue: what waits for a lock or is not allowed costs its own figures and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.demo import binaries
from console.demo.server import EmbeddedPostgres
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State
from tests.sources.postgres_help import changed, execute, session, sources, until

OTHERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
SUPABASE = (
    "create schema supabase_migrations",
    "create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)",
    "insert into supabase_migrations.schema_migrations values ('20260101000000', '{select 1}', 'first')",
)
OWN = (
    "create table schema_migrations (id serial, version integer unique, name text, executed_at timestamptz)",
    "insert into schema_migrations (version, name) values (1, 'initial'), (2, 'visits')",
)


async def catalogue(dsn: str) -> Observation:
    async with sources(dsn) as built:
        return await built["postgres.catalogue"].observe()


async def test_sizes_and_dead_rows(database: str) -> None:
    await execute(
        database,
        "create table visits (n int)",
        "insert into visits select generate_series(1, 5000)",
        "delete from visits where n % 2 = 0",
        "analyze visits",
        "select pg_stat_force_next_flush()",
    )
    async with sources(database) as built:
        source = built["postgres.catalogue"]
        first = await until(source.observe, lambda seen: seen.samples.get("dead_tuples", 0) != 0)
        await execute(database, "insert into visits select generate_series(1, 5000)")
        second = await until(source.observe, lambda seen: seen.samples.get("wal_bytes_per_s", 0) != 0)
    assert first.state is State.HEALTHY and first.words == "sizes, replication and migrations read"
    assert float(str(first.samples["database_bytes"])) > 1_000_000
    assert first.facts["extensions"] == ["plpgsql"] and first.facts["replicas"] == []
    assert first.facts["latest_migration"] is None and "unread" not in first.facts
    assert float(str(second.samples["wal_bytes_per_s"])) > 0
    assert "replica_lag_bytes" not in second.samples, "no replica is not a lag of 0"
    assert _names(first, "largest") == ["public.visits"] == _names(first, "dead_tuples")
    assert first.facts == second.facts


async def test_a_locked_table_costs_its_size_only(database: str) -> None:
    await execute(database, "create table visits (n int)")
    async with await session(database, "migration") as other, sources(database) as built:
        await other.execute("begin; lock table visits in access exclusive mode")
        reading = asyncio.create_task(built["postgres.catalogue"].observe())
        canary = await built["postgres.canary"].observe()
        activity = await built["postgres.activity"].observe()
        assert not reading.done(), "the others do not wait for it"
        locked = await reading
        await other.rollback()
        free = await built["postgres.catalogue"].observe()
    assert canary.state is activity.state is State.HEALTHY
    assert activity.samples["blocked"] == 0, "our own reads are no finding"
    assert locked.outcome is Outcome.ANSWERED and "database_bytes" in locked.samples
    assert locked.facts["unread"] == {"largest tables": "waits for a lock that somebody holds"}
    assert "largest" not in locked.volatile and locked.words.startswith("not read: largest tables")
    assert "unread" not in free.facts and _names(free, "largest") == ["public.visits"]


@pytest.mark.parametrize("tables", [SUPABASE, OWN])
async def test_a_migration_run_by_somebody_is_an_event(database: str, tables: tuple[str, ...]) -> None:
    await execute(database, *tables)
    table = "supabase_migrations.schema_migrations" if tables is SUPABASE else "schema_migrations"
    latest = ("20260101000000", "first") if tables is SUPABASE else ("2", "visits")
    new = ("20260301120000", "add_visits") if tables is SUPABASE else ("10", "add_visits")
    async with sources(database) as built:
        source = built["postgres.catalogue"]
        before = await source.observe()
        unchanged = await source.observe()
        await execute(database, f"insert into {table} (version, name) values ('{new[0]}', '{new[1]}')")
        applied = await source.observe()
        await execute(database, f"delete from {table} where version = '{new[0]}'")
        taken_back = await source.observe()
        await execute(database, f"insert into {table} (version, name) values ('0', 'late')")
        older = await source.observe()
    assert before.facts["latest_migration"] == {"version": latest[0], "name": latest[1]}
    assert before.events == unchanged.events == ()
    (event,) = applied.events
    assert (event.kind, event.text) == ("migration", f"migration {new[0]} add_visits applied")
    assert applied.facts["latest_migration"] == {"version": new[0], "name": "add_visits"}
    assert [one.text for one in taken_back.events] == [
        f"migration taken back, the latest is now {latest[0]} {latest[1]}"
    ]
    assert [one.text for one in older.events] == [
        f"an older migration applied, the latest is still {latest[0]} {latest[1]}"
    ]
    assert len({one.key for seen in (applied, taken_back, older) for one in seen.events}) == 3


async def test_supabases_table_comes_first_and_an_empty_one_does_not_hide_the_other(database: str) -> None:
    await execute(database, *OWN, *SUPABASE)
    both = await catalogue(database)
    await execute(database, "delete from supabase_migrations.schema_migrations")
    own = await catalogue(database)
    assert both.facts["latest_migration"] == {"version": "20260101000000", "name": "first"}
    assert own.facts["latest_migration"] == {"version": "2", "name": "visits"}


async def test_what_the_role_may_not_read_is_said(database: str, postgres_server: EmbeddedPostgres) -> None:
    await execute(database, *SUPABASE, f"create role limited login password '{postgres_server.password}'")
    limited = changed(database, user="limited")
    seen = await catalogue(limited)
    await execute(database, *OWN, "grant select on schema_migrations to limited")
    own = await catalogue(limited)
    await execute(database, "drop owned by limited", "drop role limited")
    assert seen.outcome is Outcome.ANSWERED
    assert seen.facts["unread"] == {"migrations": "our role may not read it"}
    assert "latest_migration" not in seen.facts, "not known is not none"
    assert "database_bytes" in seen.samples and "dead_tuples" in seen.volatile
    assert own.facts["latest_migration"] == {"version": "2", "name": "visits"}, "the other table is read all the same"
    assert own.facts["unread"] == seen.facts["unread"]


async def test_slow_statements_from_an_extension_in_an_odd_schema(database: str) -> None:
    await execute(
        database,
        'create schema "odd ""schema; drop"',
        'create extension pg_stat_statements schema "odd ""schema; drop"',
        "select pg_sleep(0.05)",
    )
    seen = await catalogue(database)
    assert "pg_stat_statements" in str(seen.facts["extensions"])
    assert any("pg_sleep" in str(row["query"]) for row in _rows(seen, "statements"))
    without = await catalogue(changed(database, dbname="postgres"))
    assert "statements" not in without.volatile


async def test_a_replica_is_listed_and_a_lag_that_it_does_not_tell_is_unknown(
    database: str, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    receive = postgres_server.installation.directory / "pg_receivewal"
    if not receive.exists():
        pytest.skip("this installation has no pg_receivewal")
    dsn = changed(postgres_server.dsn(), dbname="", application_name="second-site")
    process = await asyncio.create_subprocess_exec(
        *(str(receive), "-D", str(tmp_path), "-d", dsn, "--no-sync"), stderr=asyncio.subprocess.DEVNULL
    )
    async with sources(database) as built:
        seen = await until(built["postgres.catalogue"].observe, lambda seen: seen.facts.get("replicas") != [])
    process.kill()
    await process.wait()
    assert seen.facts["replicas"] == ["second-site"]
    assert "replica_lag_bytes" not in seen.samples


async def test_a_standby_says_how_far_it_is_behind(tmp_path: Path) -> None:
    primary = EmbeddedPostgres(tmp_path / "primary")
    primary.start()
    backup = primary.installation.directory / "pg_basebackup"
    if not backup.exists():
        pytest.skip("this installation has no pg_basebackup")
    standby = EmbeddedPostgres(tmp_path / "standby")
    standby.directory.mkdir()
    (standby.directory / "password").write_text(primary.password)
    process = await asyncio.create_subprocess_exec(
        *(str(backup), "-d", primary.dsn(), "-D", str(standby.directory / "data"), "-R", "--no-sync", "-c", "fast")
    )
    assert await process.wait() == 0
    await asyncio.to_thread(standby.start)
    async with sources(standby.dsn()) as built, sources(primary.dsn()) as above:
        seen = await built["postgres.catalogue"].observe()
        activity = await built["postgres.activity"].observe()
        of_primary = await until(above["postgres.catalogue"].observe, lambda seen: "replica_lag_bytes" in seen.samples)
        await execute(standby.dsn(), "select pg_promote()")
        promoted = await until(built["postgres.activity"].observe, lambda seen: bool(seen.events))
    standby.stop("immediate")
    primary.stop("immediate")
    assert seen.facts["in_recovery"] is True and seen.samples["replica_lag_bytes"] == 0
    assert activity.facts["in_recovery"] is True and activity.state is State.HEALTHY
    assert of_primary.facts["replicas"] == ["walreceiver"] and of_primary.samples["replica_lag_bytes"] == 0
    assert [event.text for event in promoted.events] == ["a standby became the primary"]


async def test_a_server_that_is_down_is_one_failure(database: str) -> None:
    seen = await catalogue(changed(database, port=1))
    assert (seen.outcome, seen.error_kind, seen.words) == (Outcome.FAILED, ErrorKind.CONNECT, "connection refused")
    assert seen.facts == {}


async def test_debian_15_answers_the_same_questions(tmp_path: Path) -> None:
    """The oldest installed server beside the embedded one; skipped where there is none."""
    if not OTHERS:
        pytest.skip("no other PostgreSQL installed")
    server = EmbeddedPostgres(tmp_path / "server", installation=binaries.probe(OTHERS[0], "test"))
    server.start()
    async with sources(server.dsn()) as built:
        for _ in range(2):
            seen = {name: await source.observe() for name, source in built.items()}
    server.stop("immediate")
    assert {one.state for one in seen.values()} == {State.HEALTHY}, seen
    assert "unread" not in seen["postgres.catalogue"].facts
    assert "blocks_hit_share" in seen["postgres.activity"].samples


def _rows(seen: Observation, name: str) -> list[dict[str, Any]]:
    found = seen.volatile[name]
    assert isinstance(found, list)
    return [row for row in found if isinstance(row, dict)]


def _names(seen: Observation, name: str) -> list[str]:
    return [row["name"] for row in _rows(seen, name)]
