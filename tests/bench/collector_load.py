"""What a collector costs: processor, memory and WAL, with 14 targets and with 200 routes, all at five seconds.

Run as `python -m tests.bench.collector_load [--seconds 60]`. The application is a server on loopback in a process of
its own; the collector is the very process that the console starts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from console.collector.child import spawn_child
from console.settings import load

BODY = json.dumps({"status": "healthy", "checks": {"database": {"status": "pass"}}}).encode()
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)
FRAME_BYTES = 4096 + 24
WARM_UP_S = 12.0


@dataclass(frozen=True)
class Cost:
    """What was measured over some time."""

    targets: int
    processor_share: float
    rss_bytes: int
    wal_bytes_per_hour: float

    def line(self) -> str:
        """One line for people."""
        return (
            f"{self.targets:4} targets: {self.processor_share:6.2%} of a core, "
            f"{self.rss_bytes / 1e6:5.1f} MB resident, "
            f"{self.wal_bytes_per_hour / 1e6:6.1f} MB of WAL an hour"
        )


def serve(pipe: Connection) -> None:
    """Answer every request with the same document, as cheaply as can be."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


class Wal:
    """Bytes written to a write-ahead log, read off its index: the file itself is reused after each checkpoint."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._frames = self._now()
        self.total_bytes = 0

    def look(self) -> None:
        """Count what came since the last look; a log begun anew counts from its begin."""
        now = self._now()
        self.total_bytes += (now - self._frames if now >= self._frames else now) * FRAME_BYTES
        self._frames = now

    def _now(self) -> int:
        with self._index.open("rb") as index:
            index.seek(16)
            return int.from_bytes(index.read(4), "little")


def measure(routes: int, seconds: float) -> Cost:
    """Run one collector on so many routes and watch it."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as directory:
            return _measure(Path(directory), int(ours.recv()), routes, seconds)
    finally:
        server.kill()
        server.join()


def _measure(directory: Path, port: int, routes: int, seconds: float) -> Cost:
    url = f"http://127.0.0.1:{port}"
    paths = ", ".join(f'"/route/{number}"' for number in range(routes))
    file = directory / "radar.toml"
    file.write_text(
        f'state_directory = "{directory}"\n[environments.bench]\nurl = "{url}"\nroutes = [{paths}]\n'
        f'[environments.bench.egress]\ntargets = ["{url}/a", "{url}/b"]\nname = "localhost"\n'
    )
    settings = load(file, None, {})
    settings.state_directory.mkdir()
    child = spawn_child(settings, os.environ)
    try:
        time.sleep(WARM_UP_S)
        return _watch(psutil.Process(child.pid), settings.observed_path, routes + 4, seconds)
    finally:
        child.stop()


def _watch(process: psutil.Process, store: Path, targets: int, seconds: float) -> Cost:
    wal, before, began = Wal(store.with_name(store.name + "-shm")), process.cpu_times(), time.monotonic()
    while time.monotonic() - began < seconds:
        time.sleep(0.2)
        wal.look()
    after, took_s = process.cpu_times(), time.monotonic() - began
    used_s = after.user + after.system - before.user - before.system
    rss_bytes = process.memory_info().rss
    return Cost(targets, used_s / took_s, rss_bytes, wal.total_bytes * 3600 / took_s)


def main() -> None:
    """Measure both, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    for routes in (10, 200):
        print(measure(routes, seconds).line(), flush=True)


if __name__ == "__main__":
    main()
