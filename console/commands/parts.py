"""The parts that several commands build: settings, store, records. Imported late; imports late."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from console.commands.concealing import conceal_for
from console.model.configuration import Settings
from console.model.ports import AlertActions, EntryKind, Notes, PollRequests, Refused, StoreReads
from console.settings import SettingsError, load

if TYPE_CHECKING:
    from console.store.read import StoreReader

PAINTED_S = 1.0
"""By then a console has drawn its first picture, which the comparison of settings must not hold up."""


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that `--config` and `--env` mean. Raises `SettingsError`, which the caller of commands prints."""
    try:
        settings = load(arguments.config, arguments.environment, os.environ)
        conceal_for(settings)
        return settings
    except SettingsError as error:
        if error.file is None and (demo := _demo_file()):  # there is no file at all: perhaps the demo's is meant
            fix = f"{error.fix}\n\n  a demo of yours runs: --config {demo}"
            raise SettingsError(None, None, error.key, error.problem, fix) from None
        raise


def refuse_withheld(settings: Settings, command: str) -> None:
    """Raise `SettingsError` where what the command needs is the service account's."""
    if settings.held_by is not None:
        raise SettingsError(
            settings.file, None, None, f"the account {settings.held_by} holds the credentials of this environment",
            f"run it as that account: sudo -u {settings.held_by} radar {command}",
        )  # fmt: skip


def _demo_file() -> Path | None:
    """The configuration of the one demo of this user that runs in the default directory."""
    from console.commands.faults import running_directory

    with suppress(Refused):
        file = running_directory() / "radar.toml"
        return file if file.exists() else None
    return None


@contextmanager
def reading(settings: Settings, *, compared: bool = False) -> Iterator[StoreReads]:
    """The store, opened for reading; `ports.StoreUnreadable` comes from its reads.

    `compared`: say how the collector's settings differ from ours, soon. That costs 15 ms of imports and 5 ms for each
    credential (PBKDF2), a tenth of a console's start, so it comes after the first paint.
    """
    from console.store.read import StoreReader

    reads = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
    comparison = Timer(PAINTED_S, _compare, (reads, settings))
    comparison.daemon = True
    if compared:
        comparison.start()
    try:
        with closing(reads):
            yield reads
    finally:
        comparison.cancel()


@contextmanager
def store_reader(settings: Settings) -> Iterator[StoreReader]:
    """The store with the reads that only commands ask: what happened between two times."""
    from console.store.read import StoreReader

    reads = StoreReader(settings.observed_path, settings.records_path, settings.environment, None)
    with closing(reads):
        yield reads


def _compare(reads: StoreReader, settings: Settings) -> None:
    from console.collector.secrets import fingerprint
    from console.collector.told import operations_of

    own = fingerprint(settings.environment, operations_of(settings))
    reads.compare_with(own.digest, own.identities)


@contextmanager
def operator(settings: Settings) -> Iterator[Operator]:
    """Who acts, under the identity that the kernel vouches for. Opens records.db with the first act."""
    from console.store.notes import NoteBook
    from console.store.records import AlertBook, PollBook, Records, identity

    if settings.held_by is not None:
        from console.actions.service_book import ServiceBook

        with reading(settings) as reads:
            book = ServiceBook(settings)
            yield Operator(reads, book, book, book)
        return
    who, refusal, conceal = identity(), _refusal(settings), _concealing(settings)
    with reading(settings) as reads, closing(Records(settings.records_path)) as records:
        alerts, polls = AlertBook(records, reads, who, refusal, conceal), PollBook(records, who, refusal)
        yield Operator(reads, alerts, polls, NoteBook(records, who, refusal, conceal))


def _refusal(settings: Settings) -> Callable[[EntryKind], str]:
    """Why this person may not; judged when they want to, since that reads the settings of acting (7 ms)."""

    def why(kind: EntryKind) -> str:
        from console.actions.authority import standing

        try:
            return standing(settings.operations().access).entry_refusal(kind)
        except SettingsError as error:
            return str(error)

    return why


def _concealing(settings: Settings) -> Callable[[str], str]:
    """Takes every configured secret out of a text; they are gathered when there is one to look for them in."""

    def conceal(text: str) -> str:
        from console.model.secrets import Concealer

        return Concealer(settings.environment, settings.operations())(text) if text else text

    return conceal


@dataclass(frozen=True, slots=True)
class Operator:
    """What a person may do to this environment's records, with a reader of his own."""

    reads: StoreReads
    alerts: AlertActions
    polls: PollRequests
    notes: Notes
