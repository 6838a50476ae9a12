"""How the channels stand, by the outbox. Read with every header, so it imports nothing that a start does not need."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from console.model.views import OpenItem

# Each by the index over the state: where all is well there is nothing to look at.
_TROUBLED = """
SELECT channel, state, made_ms, changed_ms, words, id FROM outbox WHERE state IN ('failed', 'unknown')
UNION ALL
SELECT channel, state, made_ms, changed_ms, words, id FROM outbox
WHERE state IN ('waiting', 'sending') AND attempts > 0 AND words <> ''
ORDER BY changed_ms DESC, id DESC
"""
# Backwards from the newest row: what was sent last is near the end.
_LEFT = (
    "SELECT id, channel, title, state, made_ms, words FROM outbox WHERE (state = 'unknown' OR (state = 'failed' AND "
    "channel = 'statuspage')) AND changed_ms > ?1 AND made_ms <= ?2 ORDER BY id DESC LIMIT 20"
)
LEFT_MS = 24 * 60 * 60_000
"""For so long a message that may not have been told stands in the ledger."""
_SENT = "SELECT changed_ms FROM outbox NOT INDEXED WHERE channel = ? AND state = 'sent' ORDER BY id DESC LIMIT 1"
_WAITING = "SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending') AND channel = ?"


class ChannelState(NamedTuple):
    """How the deliveries to one channel stand."""

    channel: str
    sent_ms: int | None
    """When the newest was sent."""
    state: str
    """`sent`, `failing`, `unknown` (the newest one's outcome), `waiting` (nothing was tried yet)."""
    since_ms: int | None
    """Since when it is not well: when the first message was made that has come to no good since the last one sent."""
    words: str
    waiting: int
    open_id: int | None = None
    """The message that it is not well by, where that is not tried again."""


class Left(NamedTuple):
    """A message that came to no good."""

    id: int
    channel: str
    title: str
    state: str
    made_ms: int
    words: str


class _Ends(TypedDict, total=False):
    undo: str
    entry: tuple[str, int]


def channel_states(connection: sqlite3.Connection) -> dict[str, ChannelState]:
    """Every channel that a message was ever made for, as it stands now."""
    found = _troubled(connection)
    for (channel,) in connection.execute("SELECT DISTINCT channel FROM outbox ORDER BY channel").fetchall():
        if channel not in found:
            sent_ms = _sent_ms(connection, channel)
            state = "waiting" if sent_ms is None else "sent"
            found[channel] = ChannelState(channel, sent_ms, state, None, "", _waiting(connection, channel))
    return found


def troubles(connection: sqlite3.Connection, at_ms: int) -> tuple[OpenItem, ...]:
    """The ledger's rows of channels that do not get through, and of messages that came to no good before others did get
    through. Only for now: the outbox keeps no earlier states."""
    failing = _troubled(connection)
    rows = [
        OpenItem(kind="notify", text=_words(state), since_ms=state.since_ms, **_ends(state.open_id))
        for state in failing.values()
        if state.since_ms is not None and state.since_ms <= at_ms
    ]
    return (*rows, *(_left_item(each) for each in left(connection, at_ms) if each.id not in _told_of(failing)))


def left(connection: sqlite3.Connection, at_ms: int) -> list[Left]:
    """The messages of the last day whose telling nobody knows of, and the public page's that failed: nothing that gets
    through later mends these. Until somebody has seen to them."""
    rows = connection.execute(_LEFT, (at_ms - LEFT_MS, at_ms)).fetchall()
    return [Left(*row) for row in rows]


def _left_item(one: Left) -> OpenItem:
    what = "whether it was told is not known" if one.state == "unknown" else "was not told"
    text = f"notifications: {one.channel}: {one.title!r}: {what}: {one.words}"
    return OpenItem(kind="notify", text=text, since_ms=one.made_ms, **_ends(one.id))


def _ends(number: int | None) -> _Ends:
    """How an item of the ledger is ended; not at all while the message is tried again."""
    if number is None:
        return {}
    return {"undo": f"radar notify dismiss {number}", "entry": ("dismiss", number)}


def _told_of(failing: Mapping[str, ChannelState]) -> set[int | None]:
    return {state.open_id for state in failing.values()}


def _troubled(connection: sqlite3.Connection) -> dict[str, ChannelState]:
    """The channels that something came to no good in after the newest that was sent."""
    found: dict[str, ChannelState] = {}
    sent: dict[str, int | None] = {}
    for channel, state, made_ms, changed_ms, words, number in connection.execute(_TROUBLED).fetchall():
        if channel not in sent:
            sent[channel] = _sent_ms(connection, channel)
        sent_ms = sent[channel]
        if sent_ms is not None and changed_ms <= sent_ms:
            continue
        if channel in found:
            before = found[channel]
            found[channel] = before._replace(since_ms=min(before.since_ms or made_ms, made_ms))
            continue
        name = "unknown" if state == "unknown" else "failing"
        ended = number if state in ("failed", "unknown") else None
        found[channel] = ChannelState(channel, sent_ms, name, made_ms, words, _waiting(connection, channel), ended)
    return found


def _sent_ms(connection: sqlite3.Connection, channel: str) -> int | None:
    row = connection.execute(_SENT, (channel,)).fetchone()
    return None if row is None else int(row[0])


def _waiting(connection: sqlite3.Connection, channel: str) -> int:
    return int(connection.execute(_WAITING, (channel,)).fetchone()[0])


def _words(state: ChannelState) -> str:
    what = "whether it was told is not known" if state.state == "unknown" else "failing"
    left = f" ({state.waiting} waiting)" if state.waiting else ""
    return f"notifications: {state.channel} {what}{left}: {state.words}"
