"""`python -m console.collector PARENT_PID CONFIG ENVIRONMENT`: the collector as a console's child (see child.py)."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

from console.collector import event_loop
from console.collector.child import die_with_parent, variables_handed_over
from console.model.configuration import Settings


def main() -> int:
    """Collect until told to end, or until the parent ends. 3: the settings or the store's place are unusable."""
    parent_pid, file, environment = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    die_with_parent(parent_pid)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "httpcore", "psycopg"):  # httpx logs each URL at INFO, and one can be a secret
        logging.getLogger(name).setLevel(logging.WARNING)
    from console.settings import SettingsError, load
    from console.store.files import UnsuitablePlace

    try:
        settings = load(file, environment, variables_handed_over())
        event_loop.run(collect(settings))
    except (SettingsError, UnsuitablePlace) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


async def collect(settings: Settings) -> None:
    """Collect until SIGTERM, SIGINT or SIGHUP."""
    from console.collector.run import run

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await run(settings, stop=stop)


if __name__ == "__main__":
    sys.exit(main())
