"""Where the hashes of audit entries go besides records.db, so that cutting off its end or rewriting it shows."""

from __future__ import annotations

import socket
from pathlib import Path

from console.store.audit import Entry
from console.store.clock import now_ms
from console.store.records import Records

SYSLOG = Path("/dev/log")
_NOTICE_OF_AUTH = 4 * 8 + 5  # RFC 5424: facility 4 (security), severity 5 (notice)


def anchor(records: Records, entry: Entry, *, syslog: bool, sink: Path = SYSLOG) -> None:
    """Tell the sinks, and note which took it. Raises `StoreError`; a sink that takes nothing is noted, not raised."""
    taken, words = _to_syslog(entry, sink) if syslog else (False, "switched off")
    records.write(
        lambda connection: connection.execute(
            "INSERT INTO anchor(audit_id, sink, at_ms, taken, words) VALUES (?, ?, ?, ?, ?)",
            (entry.id, "syslog", now_ms(), int(taken), words),
        )
    )


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
