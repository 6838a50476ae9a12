"""The parts that the runner builds: settings by whoever may say which, clients, records, and who asks."""

from __future__ import annotations

import dataclasses
import os
import pwd
from collections.abc import Sequence
from pathlib import Path

from console.actions.authority import Standing, groups_of, standing
from console.actions.base import Context
from console.actions.break_glass import second_place
from console.actions.messages import Opening
from console.model.configuration import Settings
from console.model.ports import Refused
from console.model.roles import Authority, role_of
from console.settings import SYSTEM_FILE, load
from console.sources.http import Clients
from console.store.identity import who_is
from console.store.read import StoreReader
from console.store.records import Records


def context_of(opening: Opening) -> tuple[Context, Standing]:
    """Context and standing. Raises `SettingsError` or `Refused`."""
    settings, as_service = _settings(opening)
    operations = settings.operations()
    person = standing(operations.access, as_service=as_service)
    environment = settings.environment
    glass = second_place(settings) if opening.break_glass else None
    reads = StoreReader(settings.observed_path, settings.records_path, environment, None)
    settings = settings if glass is None else dataclasses.replace(settings, state_directory=glass)
    context = Context(
        settings=settings,
        operations=operations,
        clients=Clients(environment.certificate_ca),
        reads=reads,
        records=Records(settings.records_path),
        operator=person.who.words,
        glass=glass,
    )
    return context, person


def standing_of(context: Context, uid: int) -> Standing:
    """Of the person who planned something for a time: what they may do now, not then. By the account's number: the
    name in the row is text."""
    who = who_is(uid)
    role, words = role_of(who.name, groups_of(who), context.operations.access)
    authority = Authority.ENFORCED if context.operations.access.service else Authority.GUARD_RAILS
    return Standing(who, role, words, authority, context.operations.access.read_only)


def _settings(opening: Opening) -> tuple[Settings, bool]:
    """The system's file where this process is a service account's, and nothing else: the caller names no file, no
    variable and no other environment. Else what the person named. Raises `Refused` where this host lets that
    environment be acted upon only by its service account."""
    enforced = [(system, service) for system in _of_this_host() if (service := system.operations().access.service)]
    ours = [system for system, service in enforced if _uid_of(service) == os.getuid()]
    if ours:
        return _of_the_service(ours, opening.environment), True
    settings = load(Path(opening.file), opening.environment, opening.variables)
    for system, service in enforced:
        from console.actions.same_system import is_same  # where nothing is enforced no start needs it

        if is_same(system, settings):
            raise Refused(
                f"on this host {system.environment.name} is acted upon only by the account {service}: "
                f"use {SYSTEM_FILE}, not {settings.file}"
            )
    return settings, False


def _of_the_service(ours: Sequence[Settings], environment: str) -> Settings:
    """An account that holds tokens reads no file but the host's, whoever asks for what."""
    for system in ours:
        if system.environment.name == environment:
            return system
    names = ", ".join(system.environment.name for system in ours)
    raise Refused(f"this account acts upon {names} by {SYSTEM_FILE}, and upon nothing else")


def _of_this_host() -> list[Settings]:
    """Every environment of the system's file; none where there is no such file, or this account may not read it."""
    if not os.access(SYSTEM_FILE, os.R_OK):
        return []
    found = SYSTEM_FILE.stat()
    if found.st_uid != 0 or found.st_mode & 0o022:
        raise Refused(f"{SYSTEM_FILE} can be changed by others than root: it cannot say who may do what")
    names = load(SYSTEM_FILE, None, {}).environments
    return [load(SYSTEM_FILE, name, {}) for name in names]


def _uid_of(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
