"""Through poolers: session settings are refused or swallowed, connections change hands, and nothing of ours stays."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from console.demo.server import EmbeddedPostgres
from console.model.configuration import Secret
from console.model.observation import ErrorKind, Outcome
from console.model.states import State
from console.sources.faults import Fault
from console.sources.postgres_session import Endpoint, Limits, Session
from tests.sources.postgres_help import Wire, changed, port_of, session, sources, until

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@pytest.mark.parametrize("how", ["refuse_options", "drop_options", "direct"])
async def test_session_settings_that_do_not_hold_come_with_each_statement(database: str, how: str) -> None:
    """A wire that behaves as a pooler at connect; `direct` is the counter-test."""
    async with Wire(port_of(database)) as wire:
        setattr(wire, how, True)
        endpoint = Endpoint(Secret(changed(database, port=wire.port)), "database")
        one = Session(endpoint, Limits(statement_ms=150))
        for _ in range(3):
            assert (await one.ask("select 7", budget_s=5)).raw == b"7"
        assert endpoint.pooler is (how != "direct")
        with pytest.raises(Fault, match="the server cancelled the statement"):
            await one.ask("select pg_sleep(20)", budget_s=10)
        with pytest.raises(Fault, match="refuses the statement"):
            await one.ask("create table t (n int)", budget_s=10)
        assert (await one.ask("show statement_timeout", budget_s=5)).raw == b"150ms"
        assert (await one.ask("select 8", budget_s=5)).raw == b"8", "a failed statement leaves no transaction open"
        await one.close()
        assert wire.accepted == (1 if how == "direct" else 2), "the pooler is remembered"


async def test_all_targets_work_through_a_pooler_that_refuses_options(database: str) -> None:
    async with Wire(port_of(database)) as wire:
        wire.refuse_options = True
        async with sources(changed(database, port=wire.port)) as built:
            for _ in range(2):
                seen = {name: await source.observe() for name, source in built.items()}
        assert wire.accepted <= 3
    assert {one.state for one in seen.values()} == {State.HEALTHY}
    assert seen["postgres.activity"].facts["pooler"] is True


async def test_port_6543_is_a_pooler_without_trying() -> None:
    assert Endpoint(Secret("postgresql://u:p@db.example.com:6543/postgres"), "database").pooler
    assert not Endpoint(Secret("postgresql://u:p@db.example.com:5432/postgres"), "database").pooler


@pytest.fixture
async def bouncer(database: str, postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A real PgBouncer in transaction mode with a single server connection; its connection string."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    place = Path(tempfile.mkdtemp())  # not under ours: started as root it becomes nobody, who has to read it
    (place / "users").write_text(f'"postgres" "{postgres_server.password}"\n')
    (place / "bouncer.ini").write_text(
        f"[databases]\n{name} = host=127.0.0.1 port={postgres_server.port}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
        f"auth_file = {place}/users\npool_mode = transaction\ndefault_pool_size = 1\nmax_client_conn = 4\n"
        "query_wait_timeout = 2\n"
    )
    command = [PGBOUNCER, "-q", str(place / "bouncer.ini")]
    if os.geteuid() == 0:
        command[2:2] = ["-u", "nobody"]
        for path in (place, place / "users", place / "bouncer.ini"):
            os.chown(path, 65534, 65534)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    dsn = changed(database, port=port)
    assert await _answers(dsn)
    yield dsn
    process.kill()
    await process.wait()
    shutil.rmtree(place)


async def _answers(dsn: str) -> bool:
    for _ in range(200):
        try:
            await (await psycopg.AsyncConnection.connect(dsn)).close()
        except psycopg.OperationalError:
            await asyncio.sleep(0.05)
        else:
            return True
    return False


async def test_a_real_pgbouncer(bouncer: str) -> None:
    async with sources(bouncer) as built:
        for _ in range(3):
            seen = {name: await source.observe() for name, source in built.items()}
        async with await session(bouncer, "web") as other:
            found = await other.execute("select current_setting('statement_timeout'), current_setting('lock_timeout')")
            assert await found.fetchone() == ("0", "0"), "our limits leaked to the next client of the connection"
            found = await other.execute("select current_setting('transaction_read_only')")
            assert await found.fetchone() == ("off",)
            found = await other.execute("select count(*) from pg_prepared_statements")
            assert await found.fetchone() == (0,)
    assert {one.state for one in seen.values()} == {State.HEALTHY}
    assert seen["postgres.activity"].facts["pooler"] is True
    assert seen["postgres.activity"].samples["connections_max"] == 60


async def test_a_cancelled_poll_frees_the_pooled_connection(bouncer: str) -> None:
    one = Session(Endpoint(Secret(bouncer), "database"), Limits(statement_ms=60_000))
    with pytest.raises(Fault, match="no answer within"):
        await one.ask("select pg_sleep(60)", budget_s=0.3)
    assert (await one.ask("select 9", budget_s=5)).raw == b"9"
    await one.close()


async def test_a_pool_with_no_connection_left_is_told_by_the_canary(bouncer: str) -> None:
    async with sources(bouncer) as built:
        canary = built["postgres.canary"]
        assert (await canary.observe()).state is State.HEALTHY
        async with await session(bouncer, "hog") as hog:
            await hog.execute("begin; select 1")
            starved = await canary.observe()
            await hog.rollback()
        well = await until(canary.observe, lambda seen: seen.outcome is Outcome.ANSWERED)
    assert (starved.error_kind, starved.state, starved.samples) == (ErrorKind.LIMIT, State.UNHEALTHY, {"ok": 0.0})
    assert starved.words == "the pooler has no server connection free"
    assert well.state is State.HEALTHY


async def test_a_pooler_with_no_room_for_clients(bouncer: str) -> None:
    taken = [await session(bouncer, "web") for _ in range(4)]
    async with sources(bouncer) as built:
        seen = await built["postgres.canary"].observe()
    for one in taken:
        await one.close()
    assert (seen.error_kind, seen.state) == (ErrorKind.LIMIT, State.UNHEALTHY)


async def test_a_pooler_whose_server_is_gone(database: str) -> None:
    async with Wire(port_of(database)) as wire:
        wire.refuse_options = True
        async with sources(changed(database, port=wire.port)) as built:
            assert (await built["postgres.canary"].observe()).state is State.HEALTHY
            wire.to_port = 1
            wire.cut()
            seen = await built["postgres.canary"].observe()
    assert seen.outcome is Outcome.FAILED and seen.state is State.UNHEALTHY
