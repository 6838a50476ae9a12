"""The whole circle: a real Prometheus (or VictoriaMetrics) scrapes our exposition, and our own source reads it back."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.collector.expose import exposing
from console.collector.exposition import Exposition
from console.collector.run import run
from console.model.configuration import CustomMetric, Environment, Prometheus
from console.model.observation import Observation, Outcome
from console.model.states import State
from console.sources import prometheus
from console.sources.http import Clients
from tests.collector.scripted import answered, scripted, settings, until

HOST = "127.0.0.1"
SCRAPE = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: radar
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
SERVERS = {
    "prometheus": [
        "--config.file={config}",
        "--storage.tsdb.path={data}",
        "--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ],
    "victoria-metrics": [
        "-promscrape.config={config}",
        "-storageDataPath={data}",
        "-httpListenAddr=127.0.0.1:{port}",
        "-search.latencyOffset=1s",
        "-loggerLevel=ERROR",
    ],
}


def free_port() -> int:
    with socket.socket() as held:
        held.bind((HOST, 0))
        return int(held.getsockname()[1])


@asynccontextmanager
async def serving(name: str, scraped: int, directory: Path) -> AsyncIterator[int]:
    """The server, which scrapes our port; gives its own."""
    config, port = directory / "scrape.yml", free_port()
    config.write_text(SCRAPE.format(port=scraped))
    options = [option.format(config=config, data=directory / "data", port=port) for option in SERVERS[name]]
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(name, *options, stdout=log, stderr=log, cwd=directory)
    try:
        yield port
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def read(port: int, query: str) -> Observation:
    environment = Environment(
        name="test",
        url="http://127.0.0.1:9",
        prometheus=Prometheus(url=f"http://{HOST}:{port}"),
        custom=(CustomMetric(name="own", query=query),),
    )
    (source,) = prometheus.build(environment, Clients())
    try:
        return await source.observe()
    finally:
        await source.close()


async def read_until(port: int, query: str, value: float) -> Observation:
    """Read until the value is there; the last observation, with which the test then fails, when it never is."""
    ends = time.monotonic() + 40
    while True:
        seen = await read(port, query)
        if seen.samples.get("value") == pytest.approx(value) or time.monotonic() > ends:
            return seen
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("name", SERVERS)
async def test_what_we_expose_is_scraped_and_read_back(name: str, tmp_path: Path) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    sources, stop, exposition = scripted("health", 'route:/a"b\\c'), asyncio.Event(), Exposition("test")
    sources.sources["health"].now = answered("health", samples={"latency_ms": 40.0})
    async with exposing((HOST, 0), exposition.text) as exposed:
        assert exposed is not None
        task = asyncio.create_task(run(settings(tmp_path), stop=stop, build=sources.build, exposition=exposition))
        await until(lambda: "radar_component_state" in exposition.text(), "a round")
        (tmp_path / name).mkdir()
        async with serving(name, exposed, tmp_path / name) as port:
            up = await read_until(port, 'radar_target_up{target="health"}', 1.0)
            assert (up.state, up.samples.get("value"), up.words) == (State.HEALTHY, 1.0, "gives one series")
            odd = await read(port, 'radar_target_up{target="route:/a\\"b\\\\c"}')
            assert odd.samples.get("value") == 1.0
            several = await read(port, "radar_target_up")
            assert several.words.startswith("gives several series") and several.samples == {}
            absent = await read(port, "radar_never_was")
            assert absent.words.startswith("gives no series") and absent.state is State.UNKNOWN
            refused = await read(port, "sum(")
            assert refused.words.startswith("refuses the query") and refused.outcome is Outcome.FAILED
            p50 = await read_until(port, "1000 * histogram_quantile(0.5, radar_probe_latency_seconds_bucket)", 37.5)
            assert p50.samples.get("value") == pytest.approx(37.5)
        stop.set()
        await task
