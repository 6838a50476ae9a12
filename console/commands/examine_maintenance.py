"""`radar doctor`: whether the maintenance flag can be read where it is kept. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator

from console.commands.finding import Finding, Result
from console.model.configuration import Settings
from console.model.operations import Maintenance
from console.model.ports import Refused
from console.settings import SettingsError

GROUP = "maintenance"
_FIXES = {
    "edge-config": "set maintenance.edge_config to the store's id (vercel.com, Storage), with a token that may write",
    "database": "let maintenance.database name a role that may write the table; while it is down, use another provider",
    "hook": "let the hook answer GET with the flag, and set maintenance.hook_token",
}


def findings(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """The provider, read once; what is not configured, with the line to add."""
    try:
        maintenance = settings.operations().maintenance
    except SettingsError:
        return  # told with the notifications, which are read from the same tables
    if maintenance is None:
        name = settings.environment.name
        fix = f'add [environments.{name}.maintenance] with provider = "edge-config" and edge_config = "ecfg_…"'
        yield Finding("not configured", GROUP, Result.OFF, "the application cannot be put into maintenance", fix)
    elif settings.held_by is None and not offline:
        yield _read(settings, maintenance)


def _read(settings: Settings, maintenance: Maintenance) -> Finding:
    from console.actions.maintenance_providers import provider_of, reading_or_fault
    from console.collector import event_loop
    from console.sources.faults import Fault
    from console.sources.http import Clients

    key, fix = f"maintenance.{maintenance.provider}", _FIXES[maintenance.provider]
    try:
        provider = provider_of(settings.environment, maintenance, Clients(settings.environment.certificate_ca))
    except Refused as refused:
        return Finding(GROUP, key, Result.FAILED, str(refused), fix)
    found = event_loop.run(reading_or_fault(provider))
    if isinstance(found, Fault):
        return Finding(GROUP, key, Result.FAILED, found.words, "" if "radar maintenance table" in found.words else fix)
    if found.flag.on is None:
        words = f"{provider.name} answers, but {found.flag.words}"
        return Finding(GROUP, key, Result.WARNING, words, "radar maintenance off writes a plain one")
    return Finding(GROUP, key, Result.WELL, f"{provider.name} answers: maintenance is {found.flag.words}")
