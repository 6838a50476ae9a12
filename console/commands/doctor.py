"""`radar doctor`: try everything that the console rests on, and say in words what to do about what fails."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator

from console.cli import FAILED, SHORT, UNUSABLE, WELL
from console.commands import (
    examine_actions,
    examine_host,
    examine_keys,
    examine_maintenance,
    examine_notify,
    examine_sources,
    examine_store,
)
from console.commands.finding import Finding, Result
from console.commands.output import Output, add_json, document
from console.commands.parts import settings_of
from console.model.configuration import Environment, Settings
from console.settings import SettingsError


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--offline", action="store_true", help="ask no other system")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """0: all well; 1: warnings, or something unknown; 2: something fails; 3: the configuration is unusable."""
    try:
        settings = settings_of(arguments)
    except SettingsError as error:
        return _report(arguments, None, [*map(_unusable, (error, *error.others)), *examine_host.findings(None)])
    return _report(arguments, settings, _findings(settings, offline=arguments.offline))


def _findings(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    yield Finding("configuration", "file", Result.WELL, f"{settings.file}, environment {settings.environment.name}")
    for warning in settings.warnings:
        yield Finding("configuration", warning.about, Result.WARNING, warning.words, warning.fix)
    yield from _authorities(settings.environment)
    yield from examine_keys.findings(settings.display.keys)
    yield from examine_host.findings(settings.display)
    yield from examine_store.findings(settings)
    yield from examine_sources.not_configured(settings)
    yield from examine_actions.findings(settings)
    yield from examine_notify.findings(settings, offline=offline)
    yield from examine_maintenance.findings(settings, offline=offline)
    if settings.held_by is not None:
        words = f"the account {settings.held_by} holds them: authority is enforced, and this user may not try them"
        fix = f"sudo -u {settings.held_by} radar doctor tries them"
        yield Finding("credentials", "account", Result.WELL, words, fix)
    elif not offline:
        yield from examine_sources.findings(settings)


def _authorities(environment: Environment) -> Iterator[Finding]:
    """Files of certificate authorities that are named and cannot be used."""
    for key in ("database_ca", "certificate_ca"):
        name = getattr(environment, key)
        if name and not os.access(name, os.R_OK):
            words = f"{name} is not there, or this user may not read it"
            yield Finding("configuration", key, Result.FAILED, words, "a relative path is beside radar.toml")


def _unusable(error: SettingsError) -> Finding:
    place = f"line {error.line}: " if error.line else ""
    key = f"{error.key}: " if error.key else ""
    return Finding(
        "configuration", "file", Result.FAILED, f"{error.file or ''} {place}{key}{error.problem}".strip(), error.fix
    )


def _report(arguments: argparse.Namespace, settings: Settings | None, findings: Iterable[Finding]) -> int:
    """Print each finding as soon as it is known, or all of them as one document; give the exit status."""
    output = Output(arguments, settings.display if settings else None)
    kept: list[Finding] = []
    for finding in findings:
        if not arguments.json:
            _print(output, finding, new_group=not kept or kept[-1].group != finding.group)
        kept.append(finding)
    status = _status(kept) if settings else UNUSABLE
    if arguments.json:
        name = settings.environment.name if settings else None
        document({"environment": name, "status": status, "findings": [finding.document() for finding in kept]})
    return status


def _print(output: Output, finding: Finding, *, new_group: bool) -> None:
    if new_group:
        output.line(output.head(finding.group))
    glyph = output.painted(output.glyph(finding.state), finding.state)
    output.folded(f"  {glyph} ", f"{finding.name}: {finding.words}", " " * 4)
    if finding.fix and finding.result is not Result.WELL:
        output.folded(" " * 6, finding.fix, " " * 6)


def _status(findings: list[Finding]) -> int:
    results = {finding.result for finding in findings}
    if Result.FAILED in results:
        return FAILED
    return SHORT if results & {Result.WARNING, Result.UNKNOWN} else WELL
