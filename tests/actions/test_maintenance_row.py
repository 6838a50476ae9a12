"""The maintenance flag as a row, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from console.actions import maintenance_row
from console.actions.base import Context
from console.actions.maintenance import SetMaintenance
from console.actions.maintenance_row import DatabaseRow, NoTable
from console.actions.maintenance_table import MakeMaintenanceTable
from console.actions.wire import Rejected
from console.model.actions import RunOutcome
from console.model.configuration import Secret
from console.model.maintenance import Flag
from console.model.ports import Refused
from console.model.states import State
from console.model.wire import Unanswered
from tests.actions.hosting import carried_out, planned, words_of
from tests.actions.upkeep import Stage, context, edge_config, healthy, opened, row
from tests.sources.postgres_help import Wire, execute, port_of

UNSPEAKABLE = "Zurück um 5; DROP TABLE radar_maintenance; -- ' \" \\ %s $$"


def flag_row(dsn: str, table: str = "radar_maintenance") -> DatabaseRow:
    return DatabaseRow(Secret(dsn), table, "maintenance")


async def test_without_the_table_nothing_is_read_written_or_made(database: str) -> None:
    found = flag_row(database)
    with pytest.raises(NoTable, match="radar maintenance table"):
        await found.read()
    with pytest.raises(Rejected, match="radar maintenance table"):
        await found.write(Flag(on=True))
    assert not await found.exists()


async def test_the_table_is_made_by_its_action_once_and_again_harmlessly(database: str, tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, row(database))
        plan = await planned(MakeMaintenanceTable(), where)
        assert "there is no radar_maintenance yet" in words_of(plan, "database")
        assert (await carried_out(MakeMaintenanceTable(), where, plan)).outcome is RunOutcome.DONE
        again = await planned(MakeMaintenanceTable(), where)
        assert "is there already" in words_of(again, "database")
        assert (await carried_out(MakeMaintenanceTable(), where, again)).outcome is RunOutcome.DONE


async def test_the_table_is_no_matter_of_other_providers(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        with pytest.raises(Refused, match="kept in Edge Config"):
            await planned(MakeMaintenanceTable(), context(server, tmp_path, edge_config(server)))


async def test_the_flag_is_a_row_whatever_its_message_says(database: str) -> None:
    found = flag_row(database)
    await found.make_table()
    assert (await found.read()).flag.on is False
    await found.write(Flag(on=True, message=UNSPEAKABLE, since_ms=5, until_ms=1_800_000_000_000, by="op1"))
    read = (await found.read()).flag
    assert (read.on, read.since_ms, read.by) == (True, 5, "op1") and read.message.startswith("Zurück um 5; DROP")
    await found.write(Flag(on=False))
    async with await psycopg.AsyncConnection.connect(database) as connection:
        rows = await (await connection.execute("SELECT key, value->>'on' FROM radar_maintenance")).fetchall()
    assert rows == [("maintenance", "false")]


async def test_two_bastions_do_not_write_in_the_same_moment(database: str) -> None:
    found = flag_row(database)
    await found.make_table()
    async with await psycopg.AsyncConnection.connect(database) as other:
        await other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (maintenance_row.LOCK,))
        with pytest.raises(Rejected, match="somebody else changes maintenance"):
            await found.write(Flag(on=True))
    await found.write(Flag(on=True))
    assert (await found.read()).flag.on


async def test_a_table_in_a_schema_and_a_name_that_needs_quotes(database: str) -> None:
    await execute(database, "create schema ops")
    found = flag_row(database, "ops.order")
    await found.make_table()
    await found.write(Flag(on=True))
    assert (await found.read()).flag.on is True and await found.exists()


async def test_what_somebody_wrote_into_the_row_by_hand_is_judged(database: str) -> None:
    found = flag_row(database)
    await found.make_table()
    for value, on in (
        ("true", True),
        ('{"enabled": true}', True),
        ('"perhaps"', None),
        ('{"on": true, "enabled": false}', None),
    ):
        await execute(database, "truncate radar_maintenance",
                      f"insert into radar_maintenance(key, value) values ('maintenance', '{value}')")  # fmt: skip
        assert (await found.read()).flag.on is on, value


async def test_a_locked_row_ends_the_write_within_its_time_and_nothing_is_changed(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance_row, "LOCK_MS", 200)
    found = flag_row(database)
    await found.make_table()
    await found.write(Flag(on=False))
    async with await psycopg.AsyncConnection.connect(database) as holder:
        await holder.execute("select * from radar_maintenance for update")
        with pytest.raises(Rejected, match="waits for a lock"):
            await found.write(Flag(on=True))
    assert (await found.read()).flag.on is False


async def test_a_role_that_may_not_write_is_told_so(database: str) -> None:
    found = flag_row(database)
    await found.make_table()
    await execute(database, "drop role if exists reader_only", "create role reader_only login password 'pw-4711'",
                  "grant select on radar_maintenance to reader_only")  # fmt: skip
    dsn = psycopg.conninfo.make_conninfo(database, user="reader_only", password="pw-4711")
    with pytest.raises(Rejected, match="may not do this") as caught:
        await flag_row(dsn).write(Flag(on=True))
    assert "pw-4711" not in caught.value.words
    await execute(database, "drop owned by reader_only", "drop role reader_only")


async def test_a_connection_lost_after_commit_was_sent_is_unknown(database: str) -> None:
    await flag_row(database).make_table()
    async with Wire(port_of(database)) as wire:
        found = flag_row(psycopg.conninfo.make_conninfo(database, port=wire.port))
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
            # A trigger at COMMIT that takes its time: the wire is cut while the server works on it.
            for statement in (
                "create function slow() returns trigger language plpgsql as "
                "$$ begin perform pg_sleep(1); return new; end $$",
                "create constraint trigger slow after insert on radar_maintenance deferrable initially deferred "
                "for each row execute function slow()",
            ):
                await other.execute(statement.encode())
            writing = asyncio.create_task(found.write(Flag(on=True)))
            await _asleep(other)
            wire.cut()
            with pytest.raises(Unanswered):
                await writing


async def _asleep(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
    """Wait until the server is in the middle of the commit."""
    for _ in range(1000):
        if await _sleeps(connection):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no commit came")


async def _sleeps(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> bool:
    row = await (
        await connection.execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep'")
    ).fetchone()
    return bool(row and row[0])


async def test_on_and_off_by_the_row(database: str, tmp_path: Path) -> None:
    await flag_row(database).make_table()
    stage = Stage()
    async with opened(stage) as server:
        where = context(server, tmp_path, row(database), public=False)
        plan = await planned(SetMaintenance(), where, on=True)
        assert plan.refusals == () and database not in repr(plan)
        stage.flag = True  # the application reads the same row
        assert (await carried_out(SetMaintenance(), where, plan)).outcome is RunOutcome.DONE
        assert (await flag_row(database).read()).flag.on is True
        off = await planned(SetMaintenance(), where, on=False)
        stage.flag = None
        assert (await carried_out(SetMaintenance(), where, off)).outcome is RunOutcome.DONE
    assert (await flag_row(database).read()).flag.on is False


@pytest.mark.parametrize(
    ("state", "component", "key", "word"),
    [
        (State.UNHEALTHY, "database", "database.down", "fail"),
        (State.UNHEALTHY, "application", "application.check:database", "fail"),
        (State.DEGRADED, "database", "database.idle", "warn"),
        (State.UNHEALTHY, "routes", "routes.down", "pass"),
    ],
)
async def test_while_the_database_is_the_fault_it_keeps_no_flag(
    database: str, tmp_path: Path, state: State, component: str, key: str, word: str
) -> None:
    await flag_row(database).make_table()
    reason = SimpleNamespace(state=state, component=component, key=key, text="something is wrong")
    async with opened(Stage()) as server:
        where = context(server, tmp_path, row(database), reads=healthy(reason))
        said = words_of(await planned(SetMaintenance(), where, on=True), "database")
        elsewhere = context(server, tmp_path, edge_config(server), reads=healthy(reason))
        other = await planned(SetMaintenance(), elsewhere, on=True)
    assert said.startswith(word) and ("use another provider" in said) is (word != "pass")
    assert other.refusals == () and words_of(other, "database") == ""


async def test_what_nobody_observed_is_not_told_to_be_well(database: str, tmp_path: Path) -> None:
    """A store that no collector ever wrote, one that is old, one in which the database is not watched."""
    await flag_row(database).make_table()
    now_ms = Context.now_ms()
    watched = SimpleNamespace(key="database", state=State.HEALTHY)
    views = (
        SimpleNamespace(verdict=None, verdict_ms=None, components=()),
        SimpleNamespace(verdict=SimpleNamespace(reasons=()), verdict_ms=now_ms - 600_000, components=(watched,)),
        SimpleNamespace(verdict=SimpleNamespace(reasons=()), verdict_ms=now_ms, components=()),
    )
    async with opened(Stage()) as server:
        for view in views:
            reads = healthy()
            reads.health = lambda *_, view=view, **__: view  # type: ignore[method-assign]
            plan = await planned(SetMaintenance(), context(server, tmp_path, row(database), reads=reads), on=True)
            assert words_of(plan, "database").startswith("warn: whether the database is well is not known")


async def test_a_role_that_may_not_make_the_table_is_told_so_before_it_is_tried(database: str, tmp_path: Path) -> None:
    await execute(database, "drop role if exists maker_not", "create role maker_not login password 'pw-4711'",
                  "revoke create on schema public from public")  # fmt: skip
    dsn = psycopg.conninfo.make_conninfo(database, user="maker_not", password="pw-4711")
    async with opened(Stage()) as server:
        said = words_of(await planned(MakeMaintenanceTable(), context(server, tmp_path, row(dsn))), "database")
        await execute(database, "grant create on schema public to maker_not")
        may = words_of(await planned(MakeMaintenanceTable(), context(server, tmp_path, row(dsn))), "database")
    assert said.startswith("fail: the role maker_not may not make a table in schema public") and "pw-4711" not in said
    assert may.startswith("pass")
    await execute(database, "drop owned by maker_not", "drop role maker_not")


async def test_a_database_that_is_not_reached_keeps_no_flag(tmp_path: Path) -> None:
    async with opened(Stage()) as server:
        where = context(server, tmp_path, row("postgresql://u:pw-4711@127.0.0.1:1/x"))
        plan = await planned(SetMaintenance(), where, on=True)
    said = words_of(plan, "provider")
    assert said.startswith("fail") and "use another provider" in said
    assert "pw-4711" not in repr(plan)
