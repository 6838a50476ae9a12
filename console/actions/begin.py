"""From a plan to a running run: the last look, the lock, the first journal row, the audit and its anchor."""

from __future__ import annotations

import json
import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from console.actions.anchors import anchor
from console.actions.authority import Standing
from console.actions.base import Context
from console.model.actions import Plan, Risk
from console.model.ports import Refused
from console.model.roles import may
from console.store.audit import Entry
from console.store.clock import SystemClock
from console.store.errors import StoreError
from console.store.files import UnsuitablePlace
from console.store.journal import Beginning, Busy, Journal
from console.store.runlock import RunLock


@dataclass(frozen=True, slots=True)
class Begun:
    """A run whose first row stands."""

    run_id: int
    token: str
    lock: RunLock


def refuse_unconfirmed(plan: Plan, standing: Standing, *, reason: str, typed: str) -> None:
    """Raise `Refused` unless this person may do it, nothing forbids it, and it was confirmed as its risk asks."""
    if not may(standing.role, plan.risk):
        raise Refused(standing.check(plan.risk).words)
    if plan.refusals:
        raise Refused(plan.refusals[0])
    if plan.risk is not Risk.SAFE and not reason.strip():
        raise Refused("a reason is needed: it stands in the journal and is told to those who come after")
    if plan.risk is Risk.SAFE:
        return
    if not plan.short_id.strip():
        raise Refused("this plan names nothing that could be typed to confirm it, and nothing was done: a defect")
    if not plan.confirms(typed):
        raise Refused(f"type {plan.phrase} to confirm: what was typed is something else, and nothing was done")


async def begin(context: Context, plan: Plan, standing: Standing, journal: Journal, reason: str) -> Begun:
    """Take the lock, write the first row, anchor its audit entry. Raises `Refused` with nothing done."""
    token = secrets.token_hex(12)
    lock: RunLock | None = None
    try:
        lock = RunLock.take(context.settings.state_directory, token)
        if lock is None:
            raise Refused("the lock of a run that was made up this instant is held: look at the state directory")
        arms = plan.risk is not Risk.SAFE and journal.armed() != reason
        run_id, entries = journal.begin(_beginning(plan, standing, token, reason), arms=arms)
        for entry in entries:
            await take(context, entry)
    except (Busy, StoreError, UnsuitablePlace, OSError) as error:
        if lock is not None:
            lock.release()
        told = "" if isinstance(error, Busy) else "nothing was done, for it could not be recorded: "
        raise Refused(f"{told}{error}") from None
    return Begun(run_id, token, lock)


async def take(context: Context, entry: Entry) -> None:
    """Anchor an entry of the audit, which stands. That the sinks were told is noted where it can be: `radar audit
    verify` names what is unanchored."""
    with suppress(StoreError):
        await anchor(context.records, entry, context.operations.audit, context.clients)


def host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def boot_id() -> str:
    """Differs after each boot."""
    return SystemClock().boot_id


def _beginning(plan: Plan, standing: Standing, token: str, reason: str) -> Beginning:
    return Beginning(
        token=token,
        action=plan.action,
        title=plan.title,
        target=plan.target,
        risk=plan.risk,
        exclusion=f"{plan.environment}: {plan.exclusion}" if plan.exclusion else None,
        plan=json.dumps(msgspec.to_builtins(plan)),
        reason=reason.strip(),
        authority=standing.authority,
        host=host(),
        pid=os.getpid(),
        boot_id=boot_id(),
    )
