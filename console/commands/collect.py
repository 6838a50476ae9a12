"""`radar collect`: the collector in the foreground, for a service manager."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from console.cli import UNUSABLE, WELL
from console.commands.output import complain
from console.commands.parts import refuse_withheld, settings_of
from console.model.configuration import Settings
from console.model.expose import NotLoopback, loopback_address


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "--expose",
        metavar="HOST:PORT",
        help="serve /metrics in Prometheus format on this loopback address, such as 127.0.0.1:9464",
    )


def run(arguments: argparse.Namespace) -> int:
    """Collect until SIGTERM or SIGINT; 3 where the store cannot be, or the port for metrics is none of ours."""
    settings = settings_of(arguments)
    refuse_withheld(settings, "collect")
    try:
        expose = settings.environment.expose if arguments.expose is None else arguments.expose
        address = None if expose is None else loopback_address(expose)
    except NotLoopback as error:
        complain(f"--expose: {error.problem}\n  {error.fix}")
        return UNUSABLE
    return collect(settings, address)


def collect(settings: Settings, expose: tuple[str, int] | None = None) -> int:
    """Collect until SIGTERM, SIGINT or SIGHUP. `expose`: where to serve metrics."""
    from console.collector import event_loop
    from console.collector.expose import CannotListen
    from console.store.files import UnsuitablePlace, prepare_directory

    try:
        prepare_directory(settings.state_directory)
    except UnsuitablePlace as error:
        complain(str(error))
        return UNUSABLE
    _log_to_stderr()
    try:
        event_loop.run(_until_signalled(settings, expose))
    except CannotListen as error:
        complain(str(error))
        return UNUSABLE
    return WELL


async def _until_signalled(settings: Settings, expose: tuple[str, int] | None) -> None:
    from console.collector.expose import exposing
    from console.collector.exposition import Exposition
    from console.collector.run import run as run_collector

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    exposition = Exposition(settings.environment.name)
    async with exposing(expose, exposition.text):
        await run_collector(settings, stop=stop, exposition=exposition, carries_out=True)


def _log_to_stderr() -> None:
    """The journal adds the time. httpx logs each URL at INFO, and a webhook's URL is a secret."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for name in ("httpx", "httpcore", "psycopg"):
        logging.getLogger(name).setLevel(logging.WARNING)
