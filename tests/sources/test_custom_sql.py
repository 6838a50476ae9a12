"""Figures of people's own from a real PostgreSQL: one number, or words that name the fix; nobody waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import psycopg
import pytest

from console.model.configuration import CustomMetric, Environment, Secret
from console.model.observation import ErrorKind, Observation, Origin, Outcome, Source
from console.model.states import State
from console.sources import custom_sql, postgres
from tests.sources.postgres_help import Wire, changed, execute, port_of, session, until


@contextlib.asynccontextmanager
async def figures(dsn: str, **statements: str) -> AsyncIterator[dict[str, Source]]:
    """The sources of a database and of these statements by target."""
    custom = tuple(CustomMetric(name=name, sql=sql, interval_s=5) for name, sql in statements.items())
    environment = Environment(name="test", url="http://127.0.0.1", database=Secret(dsn), custom=custom)
    built = {source.target: source for source in postgres.build(environment)}
    try:
        yield built
    finally:
        for source in built.values():
            await source.close()


async def asked(dsn: str, sql: str) -> Observation:
    async with figures(dsn, own=sql) as built:
        return await built["sql:own"].observe()


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("select 42", 42.0),
        ("select 2.5::numeric as share ; -- half", 2.5),
        ("table numbers limit 1", 1.0),
        ("with recent as (select * from numbers) select count(*) from recent", 3.0),
        ("/* of */ select sum(n) from numbers\n-- and no more", 6.0),
        ("select length('a;b')", 3.0),
        ("select n from numbers order by n desc limit 1", 3.0),
        ("select count(*) from numbers where n::text like '1%'", 1.0),
    ],
)
async def test_one_row_with_one_number_is_the_figure(database: str, sql: str, value: float) -> None:
    await execute(database, "create table numbers as select * from generate_series(1, 3) n")
    seen = await asked(database, sql)
    assert (seen.target, seen.outcome, seen.state, seen.origin) == (
        "sql:own",
        Outcome.ANSWERED,
        State.HEALTHY,
        Origin.SQL,
    )
    assert seen.samples == {"value": value}


SHAPES = [
    ("select null::int", "gives NULL: no value"),
    ("select 1 where false", "gives no row; an aggregate"),
    ("select generate_series(1, 3)", "gives several rows; aggregate them"),
    ("select 1, 2", "gives 2 columns; select the number alone"),
    ("select 'geheim'", "gives a text; write …::float8"),
    ("select repeat('x', 100000)", "gives a long text"),
    ("select now()", "gives a text; write"),
    ("select true", "gives true or false; write …::int"),
    ("select 'NaN'::numeric", "gives NaN, which is no value"),
    ("select '-Infinity'::float8", "gives -Infinity, which is no value"),
    ("select 1e400::numeric", "gives a number beyond 1e+21"),
    ("select array[1]", "gives an object or a list"),
    ("select count(*) from absent", 'is refused: relation "absent" does not exist'),
    ("select absent", 'is refused: column "absent" does not exist'),
    ("select 1 +", "is refused: syntax error"),
    ("select 1 / 0", "divides by 0; write nullif"),
    ("select 'geheim'::int", "fails at a value in the data (error 22P02)"),
    ("select pg_sleep(3)", "the server cancelled the statement: it took too long; it may take 2 s"),
]


@pytest.mark.parametrize(("sql", "words"), SHAPES)
async def test_what_is_no_number_is_unknown_with_words_that_name_the_fix(database: str, sql: str, words: str) -> None:
    seen = await asked(database, sql)
    assert seen.words.startswith(words)
    assert (seen.state, seen.samples) == (State.UNKNOWN, {})
    assert "geheim" not in seen.words


@pytest.mark.parametrize(
    "sql",
    [
        "with gone as (delete from kept returning 1) select count(*) from gone",
        "select n from kept for update",
        "select nextval('counted')",
        "select 1) as x limit 2) select 1; commit; delete from kept; select (1",
        "select set_config('transaction_read_only', 'off', false)",
        "select lo_create(0)",
    ],
)
async def test_nothing_is_written_whatever_is_written_in_the_settings(database: str, sql: str) -> None:
    await execute(database, "create table kept as select 1 as n", "create sequence counted")
    seen = await asked(database, sql)
    assert (seen.outcome, seen.state, seen.samples) == (Outcome.FAILED, State.UNKNOWN, {})
    async with await session(database, "test") as other:
        found = await (await other.execute("select count(*), (select last_value from counted) from kept")).fetchone()
    assert found == (1, 1)


async def test_what_a_statement_sets_is_gone_with_it(database: str) -> None:
    """A statement that lifts its session's limits would free the next one of them."""
    sets = "select set_config('statement_timeout', '0', false)::text = '0', 1 limit 0"
    reads = "select extract(epoch from current_setting('statement_timeout')::interval)"
    async with figures(database, sets=sets, reads=reads) as built:
        for _ in range(2):
            await built["sql:sets"].observe()
            assert (await built["sql:reads"].observe()).samples == {"value": 2.0}


async def test_a_role_without_the_right_is_told_what_to_grant(database: str) -> None:
    await execute(
        database,
        "create table closed (n int)",
        "drop role if exists figures_reader",
        "create role figures_reader login password 'p'",
    )
    seen = await asked(changed(database, user="figures_reader", password="p"), "select count(*) from closed")
    await execute(database, "drop role figures_reader")
    assert (seen.outcome, seen.error_kind) == (Outcome.FORBIDDEN, ErrorKind.CREDENTIALS)
    assert "grant select" in seen.words


async def test_rounds_share_one_connection_and_leave_no_transaction_open(database: str) -> None:
    async with Wire(port_of(database)) as wire:
        dsn = changed(database, port=wire.port)
        async with figures(dsn, one="select 1", two="select 1 / 0", slow="select pg_sleep(9)") as built:
            own = [source for target, source in built.items() if target.startswith("sql:")]
            for _ in range(2):
                await asyncio.gather(*(source.observe() for source in own))
            async with await session(database, "test") as other:
                query = (
                    "select count(*) from pg_stat_activity where state ~ '^idle in' and datname = current_database()"
                )
                assert await (await other.execute(query)).fetchone() == (0,)
        assert wire.accepted == 1


async def test_a_slow_statement_delays_neither_activity_nor_canary(database: str) -> None:
    async with figures(database, slow="select pg_sleep(1.5)", fast="select 1") as built:
        for target in ("postgres.activity", "postgres.canary", "postgres.catalogue", "sql:fast"):
            await built[target].observe()
        slow = asyncio.create_task(built["sql:slow"].observe())
        await until(built["postgres.activity"].observe, lambda seen: seen.samples.get("own_connections") == 3.0)
        began = time.monotonic()
        canary, activity = await asyncio.gather(
            built["postgres.canary"].observe(), built["postgres.activity"].observe()
        )
        assert time.monotonic() - began < 1 and not slow.done()
        assert canary.state is State.HEALTHY and activity.outcome is Outcome.ANSWERED
        await slow


async def test_statements_wait_their_turn_and_who_waits_in_vain_says_why(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_sql, "TURN_S", 0.2)
    async with figures(database, slow="select 1 + count(pg_sleep(1))", other="select 1") as built:
        await built["sql:other"].observe()
        slow = asyncio.create_task(built["sql:slow"].observe())
        await asyncio.sleep(0)
        waited = await built["sql:other"].observe()
        assert (waited.outcome, waited.error_kind) == (Outcome.HELD, ErrorKind.LIMIT)
        assert "lengthen their interval_s" in waited.words
        assert (await slow).samples == {"value": 2.0}
        assert (await built["sql:other"].observe()).samples == {"value": 1.0}


async def test_a_lock_of_somebody_else_is_no_fault_of_the_statement(database: str) -> None:
    await execute(database, "create table locked (n int)")
    async with await session(database, "migration") as other:
        await other.execute("begin; lock table locked in access exclusive mode")
        seen = await asked(database, "select count(*) from locked")
    assert seen.words == "waits for a lock that somebody holds"


async def test_a_database_that_is_not_reached_leaves_the_figure_unknown() -> None:
    seen = await asked("postgresql://u:p@127.0.0.1:1/x", "select 1")
    assert (seen.outcome, seen.state, seen.error_kind) == (Outcome.FAILED, State.UNKNOWN, ErrorKind.CONNECT)
    assert seen.words == "the database is not reached: connection refused" and seen.samples == {}


@pytest.mark.parametrize("refuse", [True, False])
async def test_through_a_transaction_pooler_the_limits_still_hold(database: str, refuse: bool) -> None:
    async with Wire(port_of(database)) as wire:
        wire.refuse_options, wire.drop_options = refuse, not refuse
        sqls = {
            "limit": "select extract(epoch from current_setting('statement_timeout')::interval)",
            "writes": "select current_setting('transaction_read_only')::bool::int",
            "slow": "select pg_sleep(9)",
        }
        async with figures(changed(database, port=wire.port), **sqls) as built:
            for _ in range(2):
                seen = {name: await built[f"sql:{name}"].observe() for name in sqls}
    assert seen["limit"].samples == {"value": 2.0} and seen["writes"].samples == {"value": 1.0}
    assert seen["slow"].error_kind is ErrorKind.TIMEOUT


async def test_a_session_that_was_ended_is_opened_anew_within_the_poll(database: str) -> None:
    async with figures(database, own="select 1") as built:
        await built["sql:own"].observe()
        async with await psycopg.AsyncConnection.connect(database, autocommit=True) as other:
            await other.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and application_name = 'radar-console'"
            )
        assert (await built["sql:own"].observe()).samples == {"value": 1.0}
