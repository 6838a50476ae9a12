"""`radar doctor`: who may act here, whether a runner starts, whether what is done can be recorded. Changes nothing."""

from __future__ import annotations

import grp
import os
import pwd
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from console.commands.finding import Finding, Result
from console.model.configuration import Settings
from console.model.operations import Access, Operations
from console.model.ports import Refused
from console.settings import SettingsError

GROUP = "actions"
SYSLOG = Path("/dev/log")
_NO_ACTION = "there is no action"


def findings(settings: Settings) -> Iterator[Finding]:
    """Roles, authority, runner, records; what is not configured, with the line to add."""
    try:
        operations = settings.operations()
    except SettingsError:
        return  # told with the notifications, which are read from the same tables
    name = settings.environment.name
    if operations.github is None:
        fix = f'add [environments.{name}.github] with repository = "OWNER/NAME" and token = "${{GITHUB_TOKEN}}"'
        yield Finding("not configured", "github", Result.OFF, "what CI is about to deploy stays unknown", fix)
    access = operations.access
    if not (access.operators or access.admins or access.read_only):
        fix = (
            f'add [environments.{name}.access] with operators = ["@oncall"]; entries are Unix users, or groups as @name'
        )
        yield Finding(
            "not configured",
            "access",
            Result.OFF,
            "everybody is a viewer: nobody may acknowledge, silence or roll back",
            fix,
        )
        return
    yield _standing(access)
    if settings.demo_directory is None:  # the demo's groups are examples
        yield from _strangers(access)
    yield _runner(settings)
    if settings.held_by is None:
        yield from _records(settings.records_path)
        yield from _sinks(operations)


def _standing(access: Access) -> Finding:
    """Who this is, and what that may do."""
    from console.actions.authority import standing
    from console.model.roles import Authority

    person = standing(access)
    authority = Authority.ENFORCED if access.service else Authority.GUARD_RAILS
    return Finding(GROUP, "access", Result.WELL, f"{person.who.words} is {person.role_words}; authority: {authority}")


def _strangers(access: Access) -> Iterator[Finding]:
    """Entries that nobody on this host can be."""
    for entry in (*access.operators, *access.admins, *([access.service] if access.service else [])):
        if not _exists(entry):
            kind, name = ("group", entry[1:]) if entry.startswith("@") else ("account", entry)
            words = f"this host has no {kind} {name}: the entry gives nobody a role"
            yield Finding(GROUP, "access", Result.WARNING, words, f"make the {kind}, or correct the entry in access")


def _exists(entry: str) -> bool:
    try:
        grp.getgrnam(entry[1:]) if entry.startswith("@") else pwd.getpwnam(entry)
    except KeyError:
        return False
    return True


def _runner(settings: Settings) -> Finding:
    """Start one and ask it for an action that is none: it answers so once it has read the settings."""
    from console.actions.desk import Desk
    from console.model.actions import ActionRequest

    with closing(Desk(settings)) as desk:
        try:
            desk.plan(ActionRequest(action="")).leave()
            said = ""
        except Refused as refused:
            said = str(refused)
    service = settings.operations().access.service
    if said.startswith(_NO_ACTION):
        return Finding(GROUP, "runner", Result.WELL, f"starts as the account {service}" if service else "starts")
    fix = "as root, look at docs/authority.md: account, runner and sudoers rule" if service else "install radar anew"
    return Finding(GROUP, "runner", Result.FAILED, said, fix)


def _records(path: Path) -> Iterator[Finding]:
    """Whether a write begins; nothing is written. A file that is not there yet is the store's business."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as opened:
            opened.execute("BEGIN IMMEDIATE")
            opened.execute("UPDATE run SET words = words WHERE id = -1")
            opened.execute("ROLLBACK")
    except sqlite3.Error as error:
        if "no such table" in str(error):  # of an earlier version: the next act adds it
            return
        fix = "without a record nothing is done: free the file (its group and rights, the disk), or break the glass"
        yield Finding(GROUP, "record", Result.FAILED, f"{path} takes no record: {error}", fix)
        return
    yield Finding(GROUP, "record", Result.WELL, f"{path} takes a record")


def _sinks(operations: Operations) -> Iterator[Finding]:
    """Where hashes of the audit are known outside, so that a rewrite shows."""
    sinks = [str(SYSLOG)] if operations.audit.syslog and os.access(SYSLOG, os.W_OK) else []
    sinks += ["a webhook"] if operations.audit.webhook else []
    if sinks:
        yield Finding(GROUP, "audit", Result.WELL, f"its hashes go to {' and '.join(sinks)}")
    else:
        fix = "let this host have /dev/log (journald or a syslog daemon), or set audit.webhook"
        words = "its hashes go nowhere: who can write records.db could rewrite it unseen"
        result = Result.WARNING if operations.audit.syslog else Result.OFF  # switched off is what somebody wanted
        yield Finding(GROUP, "audit", result, words, fix)
