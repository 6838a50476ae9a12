"""Where the hashes of audit entries go besides records.db, so that cutting off its end or rewriting it shows."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import suppress
from pathlib import Path

from console.model.configuration import Secret
from console.model.operations import Audit
from console.sources.faults import Fault
from console.sources.http import Clients, Limits, Request, fetch
from console.store.audit import Entry
from console.store.clock import now_ms
from console.store.errors import StoreBusy
from console.store.records import Records

SYSLOG = Path("/dev/log")
WEBHOOK_LIMITS = Limits(connect_s=1.0, read_s=2.0, total_s=2.0)
"""A sink that hangs must not hold up a rollback: it is noted as not taken."""
_NOTICE_OF_AUTH = 4 * 8 + 5  # RFC 5424: facility 4 (security), severity 5 (notice)


async def anchor(records: Records, entry: Entry, settings: Audit, clients: Clients, sink: Path = SYSLOG) -> None:
    """Tell the sinks, and note which took it. Raises `StoreError`; a sink that takes nothing is noted, not raised."""
    told = {"syslog": _to_syslog(entry, sink) if settings.syslog else (False, "switched off")}
    if settings.webhook is not None:
        told["webhook"] = await _to_webhook(entry, settings.webhook, clients)

    def work(connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO anchor(audit_id, sink, at_ms, taken, words) VALUES (?, ?, ?, ?, ?)",
            [(entry.id, name, now_ms(), int(taken), words) for name, (taken, words) in told.items()],
        )

    with suppress(StoreBusy):  # then the entry counts as known nowhere else, which is the safe side
        records.write(work)


def line_of(entry: Entry) -> str:
    """What a sink is told: id, hash, who, what. No reason and no parameters."""
    return f"radar audit {entry.id} {entry.hash} {entry.actor}: {entry.kind} {entry.subject}"


def _to_syslog(entry: Entry, sink: Path) -> tuple[bool, str]:
    message = f"<{_NOTICE_OF_AUTH}>radar: {line_of(entry)}".encode("utf-8", "replace")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.settimeout(1.0)
            wire.connect(str(sink))
            wire.send(message)
    except OSError as error:
        return False, f"{sink}: {(error.strerror or 'no answer').lower()}"
    return True, ""


async def _to_webhook(entry: Entry, url: Secret, clients: Clients) -> tuple[bool, str]:
    """The same line, as JSON. The URL may be a secret: it is in no words."""
    told = {"id": entry.id, "hash": entry.hash, "at_ms": entry.at_ms, "text": line_of(entry)}
    request = Request(
        url=url.reveal(), change="POST", content=json.dumps(told).encode(), limits=WEBHOOK_LIMITS,
        headers={"content-type": "application/json"},
    )  # fmt: skip
    try:
        answer = await fetch(clients.of(url.reveal()), request)
    except Fault as fault:
        return False, fault.words
    return 200 <= answer.status < 300, "" if answer.status < 300 else f"answers {answer.status}"
