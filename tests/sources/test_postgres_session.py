"""Connections that fail, hang, are cancelled or refused: words in time, and nobody waits for a server that is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.demo.server import EmbeddedPostgres
from console.model.configuration import Environment, Secret, Supabase, Thresholds
from console.model.observation import ErrorKind, Outcome
from console.model.states import State
from console.sources import postgres
from console.sources.faults import Fault
from console.sources.postgres_activity import ActivitySource
from console.sources.postgres_canary import CanarySource
from console.sources.postgres_session import Endpoint, Limits, Session, query
from tests.sources.postgres_help import Wire, changed, execute, port_of, session, sources, until

SLEEP = "select pg_sleep(60)"
PATIENT = Limits(statement_ms=120_000)


async def sleepers(dsn: str) -> int:
    """How many statements of ours sleep on the server."""
    async with await session(dsn, "test") as other:
        found = await other.execute(
            "select count(*) from pg_stat_activity where application_name = 'radar-console' and state = 'active'"
            " and query like '%pg_sleep%' and datname = current_database()"
        )
        row = await found.fetchone()
        return int(row[0]) if row else 0


async def sleeping(dsn: str, number: int, seconds: float = 10) -> bool:
    """Wait until so many statements of ours sleep on the server."""
    ends = time.monotonic() + seconds
    while await sleepers(dsn) != number:
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(0.05)
    return True


async def backend(one: Session) -> bytes:
    return (await one.ask("select pg_backend_pid()", budget_s=5)).raw


@pytest.fixture
async def ours(database: str) -> AsyncIterator[Session]:
    one = Session(Endpoint(Secret(database), "database"), PATIENT)
    yield one
    await one.close()


async def test_a_cancelled_poll_is_cancelled_on_the_server(ours: Session, database: str) -> None:
    before = await backend(ours)
    asking = asyncio.create_task(ours.ask(SLEEP, budget_s=60))
    assert await sleeping(database, 1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await sleeping(database, 0), "the statement runs on without its client"
    assert await backend(ours) == before, "the connection stayed usable"


async def test_a_poll_out_of_time_is_cancelled_on_the_server(ours: Session, database: str) -> None:
    before = await backend(ours)
    with pytest.raises(Fault, match=r"no answer within 0\.2 s") as caught:
        await ours.ask(SLEEP, budget_s=0.2)
    assert (caught.value.kind, caught.value.state) == (ErrorKind.TIMEOUT, State.UNHEALTHY)
    assert await sleeping(database, 0)
    assert await backend(ours) == before


async def test_the_server_itself_ends_what_takes_too_long(database: str) -> None:
    one = Session(Endpoint(Secret(database), "database"), Limits(statement_ms=100))
    with pytest.raises(Fault, match="the server cancelled the statement") as caught:
        await one.ask(SLEEP, budget_s=10)
    assert caught.value.state is State.DEGRADED
    with pytest.raises(Fault, match="refuses the statement") as caught:
        await one.ask("create table written (n int)", budget_s=10)
    assert "25006" in caught.value.words, "our sessions only read"
    await one.close()


async def test_close_does_not_wait_for_a_statement(database: str) -> None:
    one = Session(Endpoint(Secret(database), "database"), Limits(statement_ms=5000))
    asking = asyncio.create_task(one.ask(SLEEP, budget_s=60))
    assert await sleeping(database, 1)
    began = time.monotonic()
    await one.close()
    assert time.monotonic() - began < 1
    with pytest.raises((Fault, asyncio.CancelledError)):
        await asking
    assert await sleeping(database, 0), "ended by our cancel, or on a slow machine by its own limit"


async def test_the_canary_does_not_queue_behind_our_own_slow_question(database: str) -> None:
    endpoint = Endpoint(Secret(database), "database")
    live, catalogue = Session(endpoint, PATIENT), Session(endpoint, PATIENT)
    canary = CanarySource("postgres.canary", (live, catalogue), interval_s=5, slow_ms=10_000)
    alone = CanarySource("postgres.canary", (live,), interval_s=5, slow_ms=10_000, timeout_s=1.5)
    await backend(catalogue)
    await backend(live)
    asking = asyncio.create_task(live.ask(SLEEP, budget_s=60))
    assert await sleeping(database, 1)
    borrowed = await canary.observe()
    waited = await alone.observe()
    for one in (live, catalogue):
        await one.close()
    await asyncio.wait({asking})
    assert borrowed.state is State.HEALTHY and float(str(borrowed.samples["latency_ms"])) < 1000
    assert waited.error_kind is ErrorKind.TIMEOUT, "with one connection it would have had to wait"


async def test_one_connection_serves_all_polls(database: str) -> None:
    async with Wire(port_of(database)) as wire, sources(changed(database, port=wire.port)) as built:
        for _ in range(5):
            for source in built.values():
                assert (await source.observe()).outcome is Outcome.ANSWERED
        assert wire.accepted == 2


async def test_a_slow_canary_is_degraded(database: str) -> None:
    one = Session(Endpoint(Secret(database), "database"))
    usual = CanarySource("postgres.canary", (one,), interval_s=5, slow_ms=5000)
    strict = CanarySource("postgres.canary", (one,), interval_s=5, slow_ms=0.0001)
    quick, slow = await usual.observe(), await strict.observe()
    await one.close()
    assert (quick.state, quick.words, quick.samples["ok"]) == (State.HEALTHY, "answers", 1.0)
    assert (slow.state, slow.samples["ok"]) == (State.DEGRADED, 1.0)
    assert float(str(slow.samples["latency_ms"])) > 0


async def test_a_frozen_server(tmp_path: Path) -> None:
    """Its sockets still accept: only time tells. Polls end in time, closing is instant, and it is well again after."""
    server = EmbeddedPostgres(tmp_path / "server")
    server.start()
    endpoint = Endpoint(Secret(server.dsn()), "database")
    one = Session(endpoint)
    source = ActivitySource(one, Thresholds(), interval_s=5, timeout_s=2)
    canary = CanarySource("postgres.canary", (one,), interval_s=5, slow_ms=10_000, timeout_s=2)
    assert (await source.observe()).state is State.HEALTHY
    server.freeze()
    began = time.monotonic()
    hung, dead = await source.observe(), await canary.observe()
    took = time.monotonic() - began
    began = time.monotonic()
    late = asyncio.create_task(canary.observe())
    await asyncio.sleep(0)
    await one.close()
    closing = time.monotonic() - began
    await asyncio.wait({late})
    server.thaw()
    again = Session(Endpoint(Secret(server.dsn()), "database"))
    recovered = CanarySource("postgres.canary", (again,), interval_s=5, slow_ms=10_000)
    well = await until(recovered.observe, lambda seen: seen.outcome is Outcome.ANSWERED)
    await again.close()
    server.stop("immediate")
    for seen in (hung, dead):
        assert (seen.outcome, seen.error_kind, seen.state) == (Outcome.FAILED, ErrorKind.TIMEOUT, State.UNHEALTHY)
        assert seen.words == "no answer within 1 s"
    assert dead.samples == {"ok": 0.0} and hung.samples == {}
    assert took < 4 and closing < 1
    assert well.state is State.HEALTHY


async def test_the_same_sources_recover_from_a_freeze(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "server")
    server.start()
    one = Session(Endpoint(Secret(server.dsn()), "database"))
    canary = CanarySource("postgres.canary", (one,), interval_s=5, slow_ms=10_000, timeout_s=1.5)
    assert (await canary.observe()).state is State.HEALTHY
    server.freeze()
    assert (await canary.observe()).error_kind is ErrorKind.TIMEOUT
    server.thaw()
    well = await until(canary.observe, lambda seen: seen.outcome is Outcome.ANSWERED)
    await one.close()
    server.stop("immediate")
    assert well.state is State.HEALTHY


async def test_a_black_hole(database: str) -> None:
    async with Wire(port_of(database)) as wire:
        wire.silent = True
        one = Session(Endpoint(Secret(changed(database, port=wire.port)), "database"))
        canary = CanarySource("postgres.canary", (one,), interval_s=5, slow_ms=100, timeout_s=1.3)
        began = time.monotonic()
        seen = await canary.observe()
        assert time.monotonic() - began < 1.3
        await one.close()
    assert (seen.error_kind, seen.state) == (ErrorKind.TIMEOUT, State.UNHEALTHY)


async def test_a_wire_cut_in_the_middle_of_an_answer(database: str) -> None:
    async with Wire(port_of(database)) as wire:
        one = Session(Endpoint(Secret(changed(database, port=wire.port)), "database"), PATIENT)
        asking = asyncio.create_task(one.ask(SLEEP, budget_s=60))
        assert await sleeping(database, 1)
        wire.cut()
        with pytest.raises(Fault, match="the connection was lost") as caught:
            await asking
        assert (caught.value.kind, caught.value.state) == (ErrorKind.CLOSED, State.UNHEALTHY)
        assert await backend(one)
        await one.close()
    await execute(database, "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)'")


def test_nothing_configured_costs_nothing() -> None:
    """psycopg is imported only when there is something to ask."""
    program = (
        "import sys; from console.sources import postgres; from console.model.configuration import Environment\n"
        "assert postgres.build(Environment(name='x', url='http://x')) == []\n"
        "assert 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_the_pooler_of_supabase_is_a_target_of_its_own(database: str) -> None:
    pooled = Supabase(ref="abc", pooler=Secret(database))
    built = postgres.build(Environment(name="x", url="http://x", supabase=pooled))
    assert [source.target for source in built] == ["supabase.pooler"]
    seen = await built[0].observe()
    await built[0].close()
    assert (seen.state, seen.target, seen.samples["ok"]) == (State.HEALTHY, "supabase.pooler", 1.0)


def test_statements_go_out_without_comments() -> None:
    assert "--" not in query("activity") and query("canary") == "select 1"


LEAVING = """
import asyncio, socket, sys, time
from console.collector import event_loop
from console.model.configuration import Secret
from console.sources.postgres_session import Endpoint, Session

def hang(*_: object, **__: object) -> list[object]:
    time.sleep(60)
    return []

if sys.argv[2] == "name":
    socket.getaddrinfo = hang

async def main() -> None:
    one = Session(Endpoint(Secret(sys.argv[1]), "database"))
    asking = asyncio.create_task(one.ask("select pg_sleep(60)", budget_s=30))
    await asyncio.wait({asking}, timeout=0.3)
    asking.cancel()
    await asyncio.wait({asking}, timeout=0.3)
    print(time.time(), flush=True)
    await one.close()

event_loop.run(main())
"""


@pytest.mark.parametrize("hanging", ["name", "server"])
async def test_the_process_ends_at_once_while_everything_hangs(database: str, hanging: str) -> None:
    """asyncio would wait for its threads at the end, and a name server that hangs would hold ours for minutes."""
    async with Wire(port_of(database)) as wire:
        wire.silent = True
        host = "some.example.com" if hanging == "name" else "127.0.0.1"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", LEAVING, changed(database, host=host, port=wire.port), hanging),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0
        assert time.time() - float(printed) < 1


async def test_a_crash_of_one_backend_is_lived_through(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "server")
    server.start()
    async with sources(server.dsn()) as built:
        await built["postgres.activity"].observe()
        victim = await session(server.dsn(), "victim")
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        seen = await until(built["postgres.activity"].observe, lambda seen: seen.outcome is Outcome.ANSWERED)
        await victim.close()
    server.stop("immediate")
    assert seen.state is State.HEALTHY and seen.events == ()
