"""What the collector tells a Prometheus: scraped as one would, read by our own parser and by promtool."""

from __future__ import annotations

import asyncio
import shutil
import socket
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from console.collector.expose import MOST_CONNECTIONS, CannotListen, exposing
from console.collector.exposition import Exposition
from console.collector.run import run
from console.model.expose import NotLoopback, loopback_address
from console.model.observation import Origin, Outcome
from console.model.prometheus import Exposition as Parsed
from console.model.prometheus import Labels, parse
from console.model.states import State
from tests.collector.scripted import Asked, answered, refused, scripted, settings, until

HOST = "127.0.0.1"
ODD = 'route:/a "quoted"\\path\nof two lines'


@dataclass
class Exposed:
    """A collector that runs, and the port where it tells of itself."""

    port: int
    asked: Asked
    exposition: Exposition

    async def text(self) -> str:
        """What `/metrics` gives."""
        head, _, body = (await asked(self.port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")).partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 200 OK") and "text/plain; version=0.0.4" in head
        return body

    async def parsed(self) -> Parsed:
        """The same, read."""
        return parse(await self.text())


async def asked(port: int, request: str) -> str:
    """The whole answer to a request."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(request.encode())
    answer = (await asyncio.wait_for(reader.read(), 10)).decode()
    writer.close()
    return answer


def labels(**values: str) -> Labels:
    return tuple(sorted(values.items()))


@asynccontextmanager
async def collecting(directory: Path, asked: Asked) -> AsyncIterator[Exposed]:
    """A collector on these sources, exposed, after its first round."""
    exposition, stop = Exposition("test"), asyncio.Event()
    async with exposing((HOST, 0), exposition.text) as port:
        assert port is not None
        task = asyncio.create_task(run(settings(directory), stop=stop, build=asked.build, exposition=exposition))
        try:
            exposed = Exposed(port, asked, exposition)
            await until(lambda: "radar_component_state" in exposition.text(), "a round")
            yield exposed
        finally:
            stop.set()
            await task


async def test_targets_components_and_alerts_as_the_collector_knows_them(tmp_path: Path) -> None:
    sources = scripted("health", "ping", ODD, "sql:unknown")
    sources.sources["health"].now = answered("health", samples={"latency_ms": 12.0, "ok": 1.0})
    sources.sources["ping"].now = refused("ping")
    sources.sources["sql:unknown"].now = answered("sql:unknown", State.UNKNOWN)
    async with collecting(tmp_path, sources) as exposed:
        await until(lambda: 'radar_target_up{target="ping"} 0' in exposed.exposition.text(), "ping is down")
        await asyncio.sleep(1.1)  # what is served may be a second old
        found = await exposed.parsed()
    assert found.malformed == 0
    up = {dict(labels)["target"]: value for labels, value in found.named("radar_target_up")}
    assert up == {"health": 1.0, "ping": 0.0, ODD: 1.0, "collector": 1.0}, "what is not known is absent, never 0"
    states = {name: value for name, value in found.named("radar_target_state")}
    assert states[labels(target="sql:unknown", state="unknown")] == 1.0
    assert states[labels(target="sql:unknown", state="unhealthy")] == 0.0
    components = {name: value for name, value in found.named("radar_component_state")}
    assert components[labels(component="database", state="not_configured")] == 1.0
    assert found.values["radar_polls_total", labels(target="ping", outcome="failed")] >= 2
    assert found.gauge("radar_alerts_firing") is not None
    assert found.values["radar_collector_holds_lease", ()] == 1.0
    assert found.values["radar_collector_rounds_total", ()] >= 1
    bucket = found.values["radar_probe_latency_seconds_bucket", labels(target="health", le="0.025")]
    count = found.values["radar_probe_latency_seconds_count", labels(target="health")]
    assert bucket == count > 0
    assert found.values["radar_probe_latency_seconds_bucket", labels(target="health", le="0.01")] == 0
    total = found.values["radar_probe_latency_seconds_sum", labels(target="health")]
    assert total == pytest.approx(0.012 * count)


async def test_a_collector_that_stands_by_tells_of_itself_and_of_no_target() -> None:
    exposition = Exposition("test")
    found = parse(exposition.text())
    assert found.values["radar_collector_holds_lease", ()] == 0.0
    assert found.values["radar_collector_info", labels(environment="test")] == 1.0
    names = {name for name, _ in found.values}
    assert not {name for name in names if name.startswith(("radar_target", "radar_component", "radar_alerts"))}
    assert "radar_collector_last_round_timestamp_seconds" not in names
    assert "radar_collector_targets_late" not in names


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
async def test_promtool_finds_no_fault(tmp_path: Path) -> None:
    sources = scripted("health", ODD)
    sources.sources["health"].now = answered("health", samples={"latency_ms": 12.0})
    async with collecting(tmp_path, sources) as exposed:
        text = await exposed.text()
    assert await _promtool(text) == (0, b"")
    status, said = await _promtool("radar_x{ 1\n")
    assert status != 0 and said


async def _promtool(text: str) -> tuple[int | None, bytes]:
    """Exit status and words of `promtool check metrics`."""
    command = ("promtool", "check", "metrics")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    said, _ = await asyncio.wait_for(process.communicate(text.encode()), 30)
    return process.returncode, said


REQUESTS = [
    ("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "405"),
    ("GET / HTTP/1.1\r\n\r\n", "404"),
    ("GET /metrics?x=1 HTTP/1.1\r\n\r\n", "200"),
    ("GET /metrics/../etc HTTP/1.1\r\n\r\n", "404"),
    ("\r\n\r\n", "405"),
    ("GET /metrics HTTP/1.1\r\nX: " + "x" * 20_000 + "\r\n\r\n", "431"),
]


@pytest.mark.parametrize(("request_text", "status"), REQUESTS)
async def test_one_path_and_one_method(request_text: str, status: str) -> None:
    async with exposing((HOST, 0), lambda: "radar_x 1\n") as port:
        assert port is not None
        answer = await asked(port, request_text)
    assert answer.startswith(f"HTTP/1.1 {status} ")
    assert ("radar_x 1\n" in answer) == (status == "200")


async def test_who_sends_nothing_is_cut_and_who_comes_after_is_served() -> None:
    async with exposing((HOST, 0), lambda: "radar_x 1\n", request_s=0.5) as port:
        assert port is not None
        silent = [await asyncio.open_connection(HOST, port) for _ in range(MOST_CONNECTIONS)]
        for _, writer in silent:
            writer.write(b"GET /met")
        reader, writer = await asyncio.open_connection(HOST, port)
        with pytest.raises(ConnectionError):  # no place: cut at once
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
            await asyncio.wait_for(reader.readexactly(1), 5)
        for waiting, _ in silent:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(waiting.readexactly(1), 5)
        assert (await asked(port, "GET /metrics HTTP/1.1\r\n\r\n")).endswith("radar_x 1\n")


async def test_the_text_is_made_once_a_second_however_often_it_is_asked() -> None:
    made: list[int] = []
    async with exposing((HOST, 0), lambda: made.append(1) or "radar_x 1\n") as port:  # type: ignore[func-returns-value]
        assert port is not None
        for _ in range(20):
            await asked(port, "GET /metrics HTTP/1.1\r\n\r\n")
    assert len(made) <= 2


async def test_a_port_in_use_is_told() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(CannotListen, match=r"127\.0\.0\.1:\d+ is in use by another program; choose another port"):
            async with exposing(taken.getsockname(), str):
                raise AssertionError("unreachable")


async def test_without_an_address_nothing_listens() -> None:
    async with exposing(None, str) as port:
        assert port is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("127.8.0.1:1", ("127.8.0.1", 1)),
        ("[::1]:9464", ("::1", 9464)),
        ("localhost:9464", ("127.0.0.1", 9464)),
    ],
)
def test_loopback_addresses_are_taken(text: str, address: tuple[str, int]) -> None:
    assert loopback_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:9464", "[::]:9464", "10.0.0.1:9464", "bastion:9464", "9464", ":9464", "127.0.0.1", "127.0.0.1:0",
     "127.0.0.1:65536", "127.0.0.1:x", "::1:9464", "localhost.evil.example:9464", "127.0.0.1:9464 "],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(NotLoopback):
        loopback_address(text)


def test_a_thousand_targets_are_told_in_a_fraction_of_a_poll() -> None:
    exposition = Exposition("test")
    for at in range(1000):
        exposition.polled(answered(f"route:/{at}", samples={"latency_ms": 3.0}))
    assert exposition.text().count("radar_probe_latency_seconds_count") == 1000
    assert exposition.text().count(Outcome.ANSWERED.value) == 1000
    assert Origin.PROBE.value not in exposition.text().split("# HELP radar_polls_total")[0]
