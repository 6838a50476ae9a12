"""The parts that several commands build: settings, store, records. Imported late; imports late."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.model.configuration import Settings
from console.model.ports import AlertActions, PollRequests, StoreReads
from console.settings import load

if TYPE_CHECKING:
    from console.store.read import StoreReader


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
def operator(settings: Settings) -> Iterator[Operator]:
    """Who acts, under the identity that the kernel vouches for. Opens records.db with the first act."""
    from console.store.records import AlertBook, PollBook, Records, identity

    who = identity()
    with reading(settings) as reads, closing(Records(settings.records_path)) as records:
        yield Operator(reads, AlertBook(records, reads, who), PollBook(records, who))


@dataclass(frozen=True, slots=True)
class Operator:
    """What a person may do to this environment's records, with a reader of his own."""

    reads: StoreReads
    alerts: AlertActions
    polls: PollRequests
