"""Messages to channels, in records.db: each event is told to each channel once, over restarts and takeovers.

A row is `waiting` → `sending` → `sent`, `failed`, `unknown` or `dropped`; `sending` → `waiting` is a try again. A row
holds what is to be said and never to whom: URLs and keys stay in the settings.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from console.model.action_views import DeliveryRow
from console.model.notifications import STATUSPAGE
from console.model.notifications import Message as Message
from console.model.notifications import Part as Part
from console.model.observation import Json
from console.model.text import clean, redact
from console.store.clock import now_ms as wall_ms
from console.store.codec import plain
from console.store.read_outbox import ChannelState as ChannelState
from console.store.read_outbox import channel_states as channel_states
from console.store.read_outbox import troubles as troubles
from console.store.records import Records

Settled = Literal["sent", "failed", "unknown", "dropped", "waiting"]

REPEATABLE = ("pagerduty", "statuspage")
"""Channels to which the same message may go twice: by dedup_key, or since they are read before a retry."""
KEPT_MS = 90 * 24 * 3_600_000
"""As long as alerts are kept: an alert that ends is told where its beginning was."""
AHEAD_MS = 60_000
"""What changed so far in the future tells of a clock that was put back."""
TITLE_LIMIT = 200
WORDS_LIMIT = 300
TOGETHER = 50
"""Messages of a group in one claim; the rest follows in the next."""
TRIED_MS = 2_000
"""The first wait of the collector's own retries."""
CUT_OFF = "the process that sent it ended before an answer came"


def add(
    records: Records,
    event: str,
    channel: str,
    title: str,
    payload: Mapping[str, Json],
    due_ms: int | None = None,
    at_ms: int | None = None,
) -> int | None:
    """Have `payload` told to `channel` once; the row's id, or None when the event was added before.

    `payload["group"]`: rows of one group that are due together are sent as one message. Raises `StoreError`.
    """
    return records.write(lambda connection: enter(connection, event, channel, title, payload, due_ms, at_ms))


def enter(
    connection: sqlite3.Connection,
    event: str,
    channel: str,
    title: str,
    payload: Mapping[str, Json],
    due_ms: int | None = None,
    at_ms: int | None = None,
) -> int | None:
    """`add` within the caller's transaction."""
    moment_ms = wall_ms() if at_ms is None else at_ms
    row = connection.execute(
        "INSERT INTO outbox(event, channel, title, made_ms, due_ms, payload, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(event, channel) DO NOTHING RETURNING id",
        (plain(event), plain(channel), plain(redact(clean(title, TITLE_LIMIT))), moment_ms,
         moment_ms if due_ms is None else due_ms, json.dumps(_redacted(dict(payload))), moment_ms),
    ).fetchone()  # fmt: skip
    return int(row[0]) if row else None


def add_tried(
    records: Records, event: str, channel: str, title: str, payload: Mapping[str, Json], words: str
) -> int | None:
    """`add` what another has tried in vain already: it stands in the ledger from now on, and is tried again."""

    def work(connection: sqlite3.Connection) -> int | None:
        number = enter(connection, event, channel, title, payload, wall_ms() + TRIED_MS)
        connection.execute(
            "UPDATE outbox SET attempts = 1, words = ? WHERE id = ?",
            (plain(redact(clean(words, WORDS_LIMIT))), number),
        )
        return number

    return records.write(work)


def superseded(records: Records, channel: str, prefix: str) -> int:
    """Let what waits for a channel, whose event begins so, go untold: something newer says how it is. How many."""

    def work(connection: sqlite3.Connection) -> int:
        return connection.execute(
            "UPDATE outbox SET state = 'dropped', words = 'something newer was told', changed_ms = ? "
            "WHERE channel = ? AND state = 'waiting' AND substr(event, 1, length(?)) = ?",
            (wall_ms(), channel, prefix, prefix),
        ).rowcount

    return records.write(work)


def _redacted(value: Json) -> Json:
    """Passwords and tokens of well-known forms never reach the row, whoever put them into a text."""
    if isinstance(value, str):
        return plain(redact(value))
    if isinstance(value, Mapping):
        return {name: _redacted(each) for name, each in value.items()}
    if isinstance(value, Iterable):
        return [_redacted(each) for each in value]
    return value


# --- delivering -------------------------------------------------------------------------------------------------------

# What is tried again goes before what came later: a resolution must not overtake its alert. One at a time per channel.
_HEAD = """
SELECT channel, json_extract(payload, '$.group') FROM outbox AS head
WHERE state = 'waiting' AND due_ms <= ?1 AND channel = ?2
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'sending' AND channel = ?2)
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'waiting' AND channel = ?2 AND due_ms > ?1 AND attempts > 0
                  AND id < head.id)
ORDER BY (attempts = 0), id LIMIT 1
"""
_PARTS = (
    "SELECT id, event, title, made_ms, due_ms, payload, attempts FROM outbox "
    "WHERE state = 'waiting' AND due_ms <= ?1 AND channel = ?2 AND json_extract(payload, '$.group') IS ?3 "
    "ORDER BY (attempts = 0), id LIMIT ?4"
)


def is_due(connection: sqlite3.Connection, now_ms: int, channel: str) -> bool:
    """Whether `claim` would give something: so that looking writes nothing."""
    return connection.execute(_HEAD, (now_ms, channel)).fetchone() is not None


def claim(records: Records, now_ms: int, channel: str) -> Message | None:
    """The channel's next message, now `sending`; None while one is under way or none is due. Raises `StoreError`."""
    if not records.read(lambda connection: is_due(connection, now_ms, channel)):
        return None
    return records.write(lambda connection: _claim(connection, now_ms, channel))


def _claim(connection: sqlite3.Connection, now_ms: int, channel: str) -> Message | None:
    head = connection.execute(_HEAD, (now_ms, channel)).fetchone()
    if head is None:
        return None
    limit = 1 if head[1] is None else TOGETHER
    rows = connection.execute(_PARTS, (now_ms, channel, head[1], limit)).fetchall()
    connection.executemany(
        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, changed_ms = ? WHERE id = ?",
        [(now_ms, row[0]) for row in rows],
    )
    return Message(channel=channel, parts=tuple(map(_part, rows)), attempts=max(row[6] for row in rows) + 1)


def _part(row: tuple[Any, ...]) -> Part:
    return Part(id=row[0], event=row[1], title=row[2], made_ms=row[3], due_ms=row[4], payload=json.loads(row[5]))


def settle(
    records: Records,
    ids: Iterable[int],
    state: Settled,
    words: str,
    *,
    due_ms: int | None = None,
    at_ms: int | None = None,
) -> None:
    """How the sending of these rows ended; `waiting` with the time of the next try.

    Rows that another process has taken up since keep what that made of them, but for the news that they were sent.
    """
    moment_ms = wall_ms() if at_ms is None else at_ms
    told = plain(redact(clean(words, WORDS_LIMIT)))
    known = "'sending', 'unknown', 'waiting'" if state == "sent" else "'sending'"
    rows = [(state, told, due_ms, moment_ms, each) for each in ids]
    statement = (
        "UPDATE outbox SET state = ?, words = ?, due_ms = coalesce(?, due_ms), changed_ms = ? "
        f"WHERE id = ? AND state IN ({known})"
    )

    def work(connection: sqlite3.Connection) -> None:
        connection.executemany(statement, rows)

    records.write(work)


def dropped(connection: sqlite3.Connection, ids: Iterable[int], words: str, at_ms: int) -> None:
    """Do not send these, which wait. Within the caller's transaction."""
    rows = [(plain(clean(words, WORDS_LIMIT)), at_ms, each) for each in ids]
    connection.executemany(
        "UPDATE outbox SET state = 'dropped', words = ?, changed_ms = ? WHERE id = ? AND state = 'waiting'", rows
    )


def dismiss(records: Records, number: int, who: str, at_ms: int | None = None) -> bool:
    """Somebody has seen to a message that came to no good: it leaves the ledger, and is not sent again. False: there is
    none of that number."""
    moment_ms = wall_ms() if at_ms is None else at_ms

    def work(connection: sqlite3.Connection) -> bool:
        return connection.execute(
            "UPDATE outbox SET state = CASE state WHEN 'failed' THEN 'dropped' ELSE 'seen' END, changed_ms = ?, "
            "words = substr('seen by ' || ? || ': ' || words, 1, ?) WHERE id = ? AND state IN ('failed', 'unknown')",
            (moment_ms, plain(clean(who, 80)), WORDS_LIMIT, number),
        ).rowcount == 1  # fmt: skip

    return records.write(work)


def recover(records: Records, now_ms: int) -> int:
    """Rows that an ended process left in `sending`: again where that is harmless, else unknown. How many there were.

    For the one process that delivers, before its first claim.
    """

    def work(connection: sqlite3.Connection) -> int:
        marks = ", ".join("?" * len(REPEATABLE))
        return connection.execute(
            f"UPDATE outbox SET state = CASE WHEN channel IN ({marks}) THEN 'waiting' ELSE 'unknown' END, "
            "due_ms = ?, changed_ms = ?, words = ? WHERE state = 'sending'",
            (*REPEATABLE, now_ms, now_ms, CUT_OFF),
        ).rowcount

    if not records.read(lambda connection: _exists(connection, "state = 'sending'")):
        return 0
    return records.write(work)


def retire(records: Records, now_ms: int, channels: Collection[str]) -> int:
    """Forget what is long settled, drop what waits for a channel that is not configured any more, and let nothing
    wait for a clock that was put back."""
    settled = f"changed_ms < {now_ms - KEPT_MS} AND state NOT IN ('waiting', 'sending')"
    ahead = f"state = 'waiting' AND attempts > 0 AND changed_ms > {now_ms + AHEAD_MS}"

    def work(connection: sqlite3.Connection) -> int:
        connection.execute(f"UPDATE outbox SET due_ms = ?, changed_ms = ? WHERE {ahead}", (now_ms, now_ms))
        connection.executemany(
            "UPDATE outbox SET state = 'dropped', words = 'not configured any more', changed_ms = ? WHERE id = ?",
            [(now_ms, each) for each in _homeless(connection, channels)],
        )
        return connection.execute(f"DELETE FROM outbox WHERE {settled}").rowcount

    def idle(connection: sqlite3.Connection) -> bool:
        found = _homeless(connection, channels) or _exists(connection, settled) or _exists(connection, ahead)
        return not found

    return 0 if records.read(idle) else records.write(work)


def _homeless(connection: sqlite3.Connection, channels: Collection[str]) -> list[int]:
    rows = connection.execute("SELECT id, channel FROM outbox WHERE state = 'waiting'")
    return [number for number, channel in rows if channel not in channels]


def _exists(connection: sqlite3.Connection, condition: str) -> bool:
    return connection.execute(f"SELECT 1 FROM outbox WHERE {condition} LIMIT 1").fetchone() is not None


# --- what is known of events ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """An event that was added for a channel, and how its delivery stands."""

    id: int
    made_ms: int
    state: str
    attempts: int


def told(connection: sqlite3.Connection, events: Iterable[str]) -> dict[tuple[str, str], Told]:
    """Those of these events that were added, by (event, channel)."""
    found: dict[tuple[str, str], Told] = {}
    for event in events:
        rows = connection.execute(
            "SELECT channel, id, made_ms, state, attempts FROM outbox WHERE event = ?", (plain(event),)
        )
        found |= {(event, row[0]): Told(*row[1:]) for row in rows}
    return found


def newest_public(connection: sqlite3.Connection) -> Mapping[str, Json] | None:
    """The newest payload by which the public page was told of alerts, or is to be."""
    row = connection.execute(
        "SELECT payload FROM outbox WHERE channel = ? AND json_extract(payload, '$.public') IS NOT NULL "
        "ORDER BY id DESC LIMIT 1",
        (STATUSPAGE,),
    ).fetchone()
    return json.loads(row[0]) if row else None


def alerts_told(connection: sqlite3.Connection) -> tuple[Mapping[str, Json], ...]:
    """The first payload of each alert that was told of and not of its end."""
    rows = connection.execute("SELECT payload FROM outbox WHERE json_extract(payload, '$.kind') = 'alert' ORDER BY id")
    first: dict[tuple[Json, ...], Mapping[str, Json]] = {}
    ended: set[tuple[Json, ...]] = set()
    for (text,) in rows:
        payload = json.loads(text)
        occurrence = (payload.get("rule"), payload.get("subject"), payload.get("began_ms"))
        first.setdefault(occurrence, payload)
        if payload.get("what") == "ended":
            ended.add(occurrence)
    return tuple(payload for occurrence, payload in first.items() if occurrence not in ended)


def group_due_ms(connection: sqlite3.Connection, channel: str, now_ms: int) -> int | None:
    """When the group that gathers in a channel will be sent; None: none does."""
    row = connection.execute(
        "SELECT min(due_ms) FROM outbox WHERE channel = ? AND state = 'waiting' AND attempts = 0 AND due_ms > ? "
        "AND json_extract(payload, '$.group') IS NOT NULL",
        (channel, now_ms),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def next_due_ms(connection: sqlite3.Connection) -> int | None:
    """When the next waiting message is due; None: none waits."""
    row = connection.execute("SELECT min(due_ms) FROM outbox WHERE state = 'waiting'").fetchone()
    return None if row[0] is None else int(row[0])


def deliveries(connection: sqlite3.Connection, at_ms: int, limit: int = 50) -> tuple[DeliveryRow, ...]:
    """The newest messages made by then, newest first. One that changed since shows as waiting: only its newest state
    is kept."""
    rows = connection.execute(
        "SELECT id, event, channel, title, state, attempts, changed_ms, words, made_ms FROM outbox "
        "WHERE made_ms <= ? ORDER BY id DESC LIMIT ?",
        (at_ms, limit),
    )
    return tuple(_delivery(row, at_ms) for row in rows)


def _delivery(row: tuple[Any, ...], at_ms: int) -> DeliveryRow:
    number, event, channel, title, state, attempts, changed_ms, words, made_ms = row
    if changed_ms > at_ms:
        state, attempts, changed_ms, words = "waiting", 0, made_ms, ""
    return DeliveryRow(
        id=number,
        event=event,
        channel=channel,
        title=title,
        state=state,
        attempts=attempts,
        changed_ms=changed_ms,
        words=words,
    )
