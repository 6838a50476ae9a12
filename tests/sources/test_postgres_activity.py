"""Activity and blocking, on a real server with real locks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console.demo.server import EmbeddedPostgres
from console.model.observation import ErrorKind, Json, Observation, Outcome
from console.model.states import State
from tests.sources.postgres_help import Wire, activity, changed, execute, impatient, session, sources, until


def rows(observation: Observation, name: str) -> list[dict[str, Any]]:
    """A volatile list."""
    found: Json = observation.volatile[name]
    assert isinstance(found, list)
    return [row for row in found if isinstance(row, dict)]


async def test_a_quiet_server(database: str) -> None:
    async with sources(database) as built:
        source = built["postgres.activity"]
        first, second = await source.observe(), await source.observe()
    assert first.outcome is Outcome.ANSWERED and first.state is State.HEALTHY
    assert first.words == "connections and locks are well"
    assert first.samples["connections_max"] == 60 and first.samples["blocked"] == 0
    assert first.facts["pg_monitor"] is True and first.facts["pooler"] is False and first.facts["blockers"] is False
    assert first.facts["in_recovery"] is False and first.facts["system_identifier"]
    assert (first.facts, first.words, first.events) == (second.facts, second.words, ())
    assert "commits" not in first.samples, "growth needs two polls"
    assert "deadlocks" in second.samples and float(str(second.samples["commits"])) >= 0


async def test_our_own_sessions_are_told_apart(database: str) -> None:
    async with sources(database) as built:
        await built["postgres.catalogue"].observe()
        other = await session(database, "somebody")
        async with other:
            await other.execute("begin; select 1")
            seen = await built["postgres.activity"].observe()
            connections = float(str(seen.samples["connections"]))
    assert seen.samples["own_connections"] == 2
    assert connections >= 3
    assert [row["application"] for row in rows(seen, "sessions")].count("radar-console") == 0
    assert "somebody" in [row["application"] for row in rows(seen, "idle_in_transaction")]


async def test_a_migration_stuck_behind_an_idle_session(database: str) -> None:
    """The tree: one session forgot its transaction, an ALTER waits for it, and a plain reader waits for the ALTER."""
    await execute(database, "create table visits (n int)")
    forgetful, migration, reader = [await session(database, name) for name in ("psql", "ci-migrate", "web")]
    async with sources(database, impatient(blocked_warn_s=0.5, blocked_alert_s=1.0)) as built:
        await forgetful.execute("begin; select * from visits /* lunch */")
        held = await built["postgres.activity"].observe()
        altering = asyncio.create_task(migration.execute("alter table visits add column at timestamptz"))
        await until(built["postgres.activity"].observe, lambda seen: seen.samples["blocked"] == 1)
        reading = asyncio.create_task(reader.execute("select count(*) from visits"))
        seen = await until(
            built["postgres.activity"].observe,
            lambda seen: seen.samples["blocked"] == 2 and seen.state is State.UNHEALTHY,
        )
        patient = await activity(database)
        await forgetful.rollback()
        await asyncio.gather(altering, reading)
        cleared = await built["postgres.activity"].observe()
    assert held.state is State.HEALTHY and held.facts["blockers"] is False, "a lock that nobody waits for is no finding"
    assert seen.facts["blockers"] is True
    assert seen.words.startswith("ALTER TABLE waits for psql of postgres (pid ")
    assert "idle in transaction" in seen.words
    (queue,) = rows(seen, "blocking")
    assert queue["root_pid"] == forgetful.info.backend_pid and queue["root_state"] == "idle in transaction"
    assert queue["root_query"] == "begin; select * from visits /* lunch */" and queue["root_age_s"] >= 1
    assert queue["queued"] == 2
    first, second = queue["waiters"]
    assert (first["pid"], first["ddl"], first["mode"]) == (migration.info.backend_pid, True, "AccessExclusiveLock")
    assert first["relation"] == "visits" and first["waits_s"] >= 1
    assert (second["pid"], second["ddl"], second["application"]) == (reader.info.backend_pid, False, "web")
    assert patient.state is State.HEALTHY, "the same locks, judged with the usual ten seconds"
    assert cleared.state is State.HEALTHY and cleared.samples["blocked"] == 0 and rows(cleared, "blocking") == []
    for one in (forgetful, migration, reader):
        await one.close()


async def test_a_prepared_transaction_blocks_too(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "server", settings={"max_prepared_transactions": "2"})
    server.start()
    await execute(server.dsn(), "create table t (n int)")
    holder = await session(server.dsn(), "batch")
    await holder.execute("begin; lock table t")
    await holder.execute("prepare transaction 'forgotten'")
    waiter = await session(server.dsn(), "web")
    waiting = asyncio.create_task(waiter.execute("select * from t"))
    async with sources(server.dsn(), impatient(blocked_warn_s=0.2)) as built:
        seen = await until(built["postgres.activity"].observe, lambda seen: seen.facts.get("blockers") is True)
    assert seen.words == "sessions wait for a prepared transaction that nobody finished"
    waiting.cancel()
    await asyncio.wait({waiting})
    server.stop("immediate")


async def test_idle_in_transaction_for_too_long(database: str) -> None:
    async with await session(database, "worker") as other:
        await other.execute("begin; select 1")
        async with sources(database, impatient(idle_in_transaction_s=0.2)) as built:
            seen = await until(built["postgres.activity"].observe, lambda seen: seen.state is State.DEGRADED)
        usual = await activity(database)
    assert seen.words == "a session is idle in a transaction for too long"
    assert seen.samples["idle_in_transaction"] == 1
    assert usual.state is State.HEALTHY


async def test_connections_exhausted(tmp_path: Path) -> None:
    """Who is connected goes on observing, and says how many of how many; who comes then is refused, in words."""
    server = EmbeddedPostgres(tmp_path / "server", max_connections=12)
    server.start()
    await execute(server.dsn(), f"create role watcher login password '{server.password}' in role pg_monitor")
    watcher = server.dsn(user="watcher")
    async with sources(watcher) as built:
        before = await built["postgres.activity"].observe()
        warm = await built["postgres.canary"].observe()
        taken = [await session(server.dsn(), "leak") for _ in range(6)]
        near = await built["postgres.activity"].observe()
        taken += [await session(server.dsn(), "leak") for _ in range(5)]
        full = await built["postgres.activity"].observe()
        canary = await built["postgres.canary"].observe()
        async with sources(watcher) as late:
            refused = [await late[name].observe() for name in ("postgres.activity", "postgres.canary")]
        for one in taken:
            await one.close()
        after = await until(built["postgres.activity"].observe, lambda seen: seen.samples["connections"] == 1)
    server.stop("immediate")
    assert before.state is warm.state is State.HEALTHY
    assert (near.samples["connections"], near.state) == (7, State.HEALTHY) or near.state is State.DEGRADED
    assert (full.samples["connections"], full.samples["connections_max"]) == (12, 12)
    assert full.state is State.UNHEALTHY and full.words == "all connections that clients may use are taken"
    assert canary.state is State.HEALTHY, "on the open connection the server still answers"
    for seen in refused:
        assert (seen.outcome, seen.error_kind, seen.state) == (Outcome.FAILED, ErrorKind.LIMIT, State.UNHEALTHY)
        assert seen.words == "refuses new connections: its connection limit is reached"
        assert "connections" not in seen.samples
    assert after.state is State.HEALTHY


async def test_who_holds_the_connections_is_counted(database: str) -> None:
    """Greatest first, three of them, none of ours; a session of another database counts, since it takes a slot too."""
    role = "im\x1b[31mport"
    await execute(database, f"create role \"{role}\" login password 'p'", "create database elsewhere")
    importer = changed(database, user=role, password="p", dbname="elsewhere")
    names = [*["web"] * 3, *["psql"] * 2, "cron", *["radar-console-other"] * 5]
    others = [await session(importer, "import") for _ in range(4)] + [await session(database, name) for name in names]
    async with sources(database) as built:
        seen = await built["postgres.activity"].observe()
        for one in others[:2]:
            await one.close()
        fewer = await until(built["postgres.activity"].observe, lambda seen: holders(seen)[0][1] == "web")
    for one in others:
        await one.close()
    await execute(database, "drop database elsewhere with (force)", f'drop role "{role}"')
    assert holders(seen) == [("im␛[31mport", "import", 4), ("postgres", "web", 3), ("postgres", "psql", 2)]
    assert holders(fewer)[0] == ("postgres", "web", 3) and ("im␛[31mport", "import", 2) in holders(fewer)
    assert seen.facts == fewer.facts, "who holds how many changes with each poll: no facts"


def holders(observation: Observation) -> list[tuple[str, str, int]]:
    return [(row["user"], row["application"], row["sessions"]) for row in rows(observation, "holders")]


async def test_connections_near_the_limit(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "server", max_connections=13)
    server.start()
    async with sources(server.dsn()) as built:
        await built["postgres.activity"].observe()
        taken = [await session(server.dsn(), "web") for _ in range(7)]
        degraded = await built["postgres.activity"].observe()
        taken.append(await session(server.dsn(), "web"))
        unhealthy = await built["postgres.activity"].observe()
    for one in taken:
        await one.close()
    server.stop("immediate")
    assert (degraded.samples["connections"], degraded.state) == (8, State.DEGRADED), "8 of 13 less 3 reserved"
    assert (unhealthy.samples["connections"], unhealthy.state) == (9, State.UNHEALTHY)
    assert degraded.words == unhealthy.words == "connections are near their limit"


async def test_a_role_without_pg_monitor_knows_that_it_does_not_know(
    database: str, postgres_server: EmbeddedPostgres
) -> None:
    await execute(
        database,
        f"create role plain login password '{postgres_server.password}'",
        "create table t (n int)",
    )
    plain = changed(database, user="plain")
    async with await session(database, "busy") as other, await session(database, "behind") as behind:
        await other.execute("begin; lock table t")
        waiting = asyncio.create_task(behind.execute("select * from t"))
        quiet = await activity(plain, impatient(blocked_warn_s=100))
        seen = await until(
            lambda: activity(plain, impatient(blocked_warn_s=0.5)),
            lambda seen: "waits for" in seen.words or "wait for" in seen.words,
        )
        await other.rollback()
        await waiting
    await execute(database, "grant pg_monitor to plain")
    granted = await activity(plain)
    await execute(database, "drop role plain")
    assert quiet.state is State.UNKNOWN and "`plain` lacks pg_monitor" in quiet.words
    assert quiet.facts["pg_monitor"] is False and quiet.samples["connections_max"] == 60
    assert not {"connections", "active", "idle_in_transaction", "longest_transaction_s"} & set(quiet.samples)
    assert quiet.volatile["holders"] is None and seen.volatile["holders"] is None, "not told from a part of them"
    assert quiet.volatile["own"] is None and quiet.volatile["states"] is None
    assert seen.samples["blocked"] == 1, "waiters are found in pg_locks all the same"
    assert seen.state is State.DEGRADED
    assert granted.state is State.HEALTHY and "connections" in granted.samples


async def test_a_terminated_session_is_replaced_within_the_poll(database: str) -> None:
    async with sources(database) as built:
        await built["postgres.activity"].observe()
        await execute(
            database, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'radar-console'"
        )
        seen = await built["postgres.activity"].observe()
        assert (await built["postgres.canary"].observe()).state is State.HEALTHY
    assert (seen.outcome, seen.state, seen.events) == (Outcome.ANSWERED, State.HEALTHY, ())


async def test_a_restart_is_an_event(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "server")
    server.start()
    async with sources(server.dsn()) as built:
        before = await built["postgres.activity"].observe()
        await asyncio.to_thread(server.stop, "immediate")
        down = await built["postgres.activity"].observe()
        await asyncio.to_thread(server.start)
        after = await until(built["postgres.activity"].observe, lambda seen: seen.outcome is Outcome.ANSWERED)
        again = await built["postgres.activity"].observe()
    server.stop("immediate")
    assert (down.outcome, down.error_kind, down.words) == (Outcome.FAILED, ErrorKind.CONNECT, "connection refused")
    assert down.state is State.UNHEALTHY
    (event,) = after.events
    assert (event.kind, event.text) == ("database", "server restarted")
    assert event.key == f"database/restarted/{after.facts['started_ms']}"
    assert before.facts["started_ms"] != after.facts["started_ms"]
    assert before.facts["system_identifier"] == after.facts["system_identifier"]
    assert "commits" not in after.samples, "what happened across the restart is not known"
    assert again.events == ()


async def test_a_failover_to_another_server_is_an_event(database: str, tmp_path: Path) -> None:
    other = EmbeddedPostgres(tmp_path / "server")
    other.start()
    port = int(psycopg.conninfo.conninfo_to_dict(database)["port"] or 0)
    async with Wire(port) as wire:
        dsn = changed(database, port=wire.port, dbname="postgres", password="")
        await execute(database, "create role mover superuser login password 'both'")
        await execute(other.dsn(), "create role mover superuser login password 'both'")
        async with sources(changed(dsn, user="mover", password="both")) as built:
            await built["postgres.activity"].observe()
            wire.to_port = other.port
            wire.cut()
            seen = await until(built["postgres.activity"].observe, lambda seen: seen.outcome is Outcome.ANSWERED)
    await execute(database, "drop role mover")
    other.stop("immediate")
    (event,) = seen.events
    assert event.kind == "database" and event.text == f"moved to another address: 127.0.0.1:{other.port}"


async def test_hostile_texts_are_disarmed(database: str) -> None:
    secret = "hunter2secret"
    async with await session(database, "\x1b]52;c;evil\x07") as other:
        await other.execute(f"begin; select '\x1b[2J\n\n‮' /* password={secret} */".encode())
        seen = await activity(database)
    text = json.dumps(dict(seen.volatile), ensure_ascii=False)
    assert "\\u001b" not in text and "‮" not in text and "␛[2J" in text
    assert secret not in text and "(hidden)" in text
    assert any("select" in str(row["query"]) for row in rows(seen, "sessions"))


@pytest.mark.parametrize("watched_from", ["bytes", "here"])
async def test_texts_in_no_encoding_do_not_break_the_answer(database: str, watched_from: str) -> None:
    """A database in SQL_ASCII holds any bytes, and its sessions are seen from the others too."""
    await execute(database, "create database bytes encoding 'SQL_ASCII' template template0")
    dsn = changed(database, dbname="bytes")
    other = await psycopg.AsyncConnection.connect(dsn, client_encoding="SQL_ASCII", autocommit=True)
    async with other:
        await other.execute(b"begin; select '\xff\xfe caf\xe9'")
        seen = await activity(dsn if watched_from == "bytes" else database)
    await execute(database, "drop database bytes with (force)")
    assert seen.state is State.HEALTHY
    assert any("caf" in str(row["query"]) for row in rows(seen, "sessions"))


async def test_slow_statements_are_counted(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from console.sources import postgres_session

    quick = postgres_session.query("activity").replace("statement_s > 5 ", "statement_s > 0.2 ")
    monkeypatch.setattr("console.sources.postgres_activity.query", lambda name: quick)
    async with await session(database, "report") as other:
        running = asyncio.create_task(other.execute("select pg_sleep(20)"))
        seen = await until(lambda: activity(database), lambda seen: seen.samples.get("slow_queries") == 1)
        other.cancel()
        with pytest.raises(psycopg.errors.QueryCanceled):
            await running
    assert seen.samples["slow_queries"] == 1 and seen.samples["active"] == 1
