"""The ledger's lines of what went live during a deploy freeze: freezes of records.db, deployments as observed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from console.model import payload
from console.model.not_held import KIND, WentLive, went_live, words
from console.model.observation import Json
from console.model.views import OpenItem
from console.store.moment import Moment
from console.store.read_records import RecordsAt

LIVES = 50


def not_held(moment: Moment, records: RecordsAt) -> Iterator[OpenItem]:
    """One for each; nothing is read while no freeze stands in the ledger."""
    if not records.freezes:
        return
    from console.store.read_lives import lives  # no start needs it

    since_ms = min(each.began_ms for each in records.freezes)
    seen = [live for live in lives(moment, LIVES) if live.at_ms > since_ms]
    told = [WentLive(id=str(live.data["id"]), called=called(live.data), at_ms=live.at_ms) for live in seen]
    for frozen, live in went_live(records.freezes, told, records.moves):
        yield OpenItem(kind=KIND, text=words(frozen, live), since_ms=live.at_ms)


def called(data: Mapping[str, Json]) -> str:
    """`8f3c1d2 "pricing v2"` out of what an event tells of a deployment."""
    short, message = payload.text(data, "short") or str(data.get("id"))[:11], payload.text(data, "message", limit=60)
    return f'{short} "{message}"' if message else short
