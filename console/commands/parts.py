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
    from console.collector.secrets import Fingerprint


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that `--config` and `--env` mean. Raises `SettingsError`, which the caller of commands prints."""
    return load(arguments.config, arguments.environment, os.environ)


@contextmanager
def reading(settings: Settings, *, compared: bool = False) -> Iterator[StoreReads]:
    """The store, opened for reading; `ports.StoreUnreadable` comes from its reads.

    `compared`: say how the collector's settings differ from ours. Costs 5 ms for each credential.
    """
    from console.store.read import StoreReader

    own = _fingerprint(settings) if compared else None
    reads = StoreReader(
        settings.observed_path,
        settings.records_path,
        settings.environment,
        own.digest if own else None,
        identities=own.identities if own else None,
    )
    with closing(reads):
        yield reads


def _fingerprint(settings: Settings) -> Fingerprint:
    from console.collector.secrets import fingerprint

    return fingerprint(settings.environment)


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
