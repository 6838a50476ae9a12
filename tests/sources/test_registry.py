"""All sources together: what is configured is there, all alike, and nothing else."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

from console.model.configuration import CustomMetric, Egress, Environment, Prometheus, Secret, Supabase, Vendor, Vercel
from console.model.observation import Observation, Outcome
from console.model.operations import GitHub, Operations
from console.sources import registry
from tests.sources.loopback import hang, serving, until

EVERYTHING = {
    "metrics": "/api/metrics",
    "vercel": Vercel(token=Secret("t"), project="p", api="http://127.0.0.1:9"),
    "supabase": Supabase(ref="a" * 20, token=Secret("t"), api="http://127.0.0.1:9", gateway="http://127.0.0.1:9"),
    "vendors": (Vendor(name="acme", url="http://127.0.0.1:9"),),
    "egress": Egress(targets=("http://127.0.0.1:9/",), name="localhost"),
    "certificates": ("127.0.0.1:9",),
    "database": Secret("postgresql://u:p@127.0.0.1:9/x"),
    "prometheus": Prometheus(url="http://127.0.0.1:9"),
    "custom": (
        CustomMetric(name="counted", sql="select 1"),
        CustomMetric(name="measured", query="up"),
        CustomMetric(name="read", series="health|latency_ms"),
    ),
}


def test_the_least_configuration() -> None:
    targets = [source.target for source in registry.build(Environment(name="test", url="https://app.example.com"))]
    assert targets == [
        "health",
        "ping",
        "route:/",
        "route:/api/v1/system/ping",
        "certificate:app.example.com:443",
        "egress",
        "host",
    ]


async def test_everything_configured_and_nothing_reachable_gives_observations_and_no_exception() -> None:
    environment = Environment(name="test", url="http://127.0.0.1:9", **EVERYTHING)  # type: ignore[arg-type]
    repository = GitHub(token=Secret("t"), repository="a/b", api="http://127.0.0.1:9")
    sources = registry.build(environment, Operations(github=repository))
    assert len({source.target for source in sources}) == len(sources) == 19
    found = await asyncio.gather(*(source.observe() for source in sources))
    await asyncio.gather(*(source.close() for source in sources))
    for source, seen in zip(sources, found, strict=True):
        assert isinstance(seen, Observation) and seen.target == source.target and seen.words
        assert (seen.outcome is Outcome.ANSWERED) == (seen.target == "host")
        assert source.interval_s > 0 and 0 < source.timeout_s <= 30


async def test_closing_while_everything_hangs_takes_less_than_a_second() -> None:
    async with serving(hang) as server:
        hosts = {
            "metrics": "/m",
            "egress": Egress(targets=(server.url(),), name="localhost"),
            "vendors": (Vendor(name="acme", url=server.url()),),
            "vercel": Vercel(token=Secret("t"), project="p", api=server.url()),
        }
        sources = registry.build(Environment(name="test", url=server.url(), **hosts))  # type: ignore[arg-type]
        polls = [asyncio.create_task(source.observe()) for source in sources if source.target != "host"]
        await until(lambda: len(server.requests) == len(polls))
        began = time.monotonic()
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)
        await asyncio.gather(*(source.close() for source in sources))
        assert time.monotonic() - began < 1


def test_sources_know_no_store_no_screen_and_no_textual() -> None:
    code = (
        "import sys, console.sources.registry; "
        "doors = ('textual', 'console.store', 'console.collector', 'screens', 'widgets'); "
        "bad = [name for name in sys.modules if name.startswith(doors)]; "
        "sys.exit(str(bad) if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
