"""`radar collect`: the collector in the foreground, for a service manager."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys

from console.cli import UNUSABLE, WELL
from console.commands.output import complain
from console.commands.parts import settings_of
from console.model.configuration import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """It has no options of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Collect until SIGTERM or SIGINT; 3 where the store cannot be."""
    return collect(settings_of(arguments))


def collect(settings: Settings) -> int:
    """Collect until SIGTERM, SIGINT or SIGHUP."""
    from console.collector import event_loop
    from console.store.files import UnsuitablePlace, prepare_directory

    try:
        prepare_directory(settings.state_directory)
    except UnsuitablePlace as error:
        complain(str(error))
        return UNUSABLE
    _log_to_stderr()
    event_loop.run(_until_signalled(settings))
    return WELL


async def _until_signalled(settings: Settings) -> None:
    from console.collector.run import run as run_collector

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await run_collector(settings, stop=stop)


def _log_to_stderr() -> None:
    """The journal adds the time. httpx logs each URL at INFO, and a webhook's URL is a secret."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for name in ("httpx", "httpcore", "psycopg"):
        logging.getLogger(name).setLevel(logging.WARNING)
