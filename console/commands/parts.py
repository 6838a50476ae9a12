"""The parts that several commands build: settings, store, records. Imported late; imports late."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from console.model.configuration import Settings
from console.settings import load

if TYPE_CHECKING:
    from console.store.read import StoreReader
    from console.store.records import AlertBook

UsageError = Callable[[str], None]


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that `--config` and `--env` mean. Raises `SettingsError`, which the caller of commands prints."""
    return load(arguments.config, arguments.environment, os.environ)


@contextmanager
def reading(settings: Settings) -> Iterator[StoreReader]:
    """The store, opened for reading; `ports.StoreUnreadable` comes from its reads."""
    from console.store.read import StoreReader

    with closing(StoreReader(settings.observed_path, settings.records_path, settings.environment, None)) as reads:
        yield reads


@contextmanager
def alert_book(settings: Settings) -> Iterator[tuple[StoreReader, AlertBook]]:
    """The store for reading, and what an operator may do to its alerts under his real identity."""
    from console.store.files import prepare_directory
    from console.store.records import AlertBook, Records, identity

    prepare_directory(settings.state_directory)
    with reading(settings) as reads, closing(Records(settings.records_path)) as records:
        yield reads, AlertBook(records, reads, identity())
