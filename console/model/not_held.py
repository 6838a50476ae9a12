"""What went live while a deploy freeze was in force, and was no move of ours. Pure.

A freeze ends CI runs; what Vercel builds by itself, or somebody deploys elsewhere, it does not stop: that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.model.value import value

KIND = "not held"
"""Of the ledger's line."""
AFTER_MS = 60_000
"""A deployment that a run of ours asked for is seen live so long after the run's end at most."""
MOVES = ("deploy", "promote", "rollback")


@value
class Frozen:
    """A freeze of a repository, from when to when."""

    id: int
    owner: str
    began_ms: int
    until_ms: int | None


@value
class Moved:
    """A run of ours that moves production."""

    action: str
    target: str
    """`8f3c1d2 (dpl_…)`; of a deployment that was yet to be built its ref."""
    began_ms: int
    ended_ms: int | None


@value
class WentLive:
    """A deployment that began to serve production."""

    id: str
    called: str
    """`8f3c1d2 "pricing v2"`."""
    at_ms: int


def went_live(
    freezes: Iterable[Frozen], lives: Iterable[WentLive], moves: Iterable[Moved]
) -> Iterator[tuple[Frozen, WentLive]]:
    """Each deployment with the freeze that did not hold it."""
    held, ours = list(freezes), list(moves)
    for live in lives:
        frozen = next((each for each in held if _is_in(each, live.at_ms)), None)
        if frozen is not None and not any(_is_of(each, live) for each in ours):
            yield frozen, live


def words(frozen: Frozen, live: WentLive) -> str:
    """`8f3c1d2 "pricing v2" went live during the deploy freeze of op1`."""
    return f"{live.called} went live during the deploy freeze of {frozen.owner.partition(' (')[0]}"


def _is_in(frozen: Frozen, at_ms: int) -> bool:
    return frozen.began_ms < at_ms and (frozen.until_ms is None or at_ms <= frozen.until_ms)


def _is_of(move: Moved, live: WentLive) -> bool:
    is_then = move.began_ms <= live.at_ms and (move.ended_ms is None or live.at_ms <= move.ended_ms + AFTER_MS)
    return is_then and (move.action == "deploy" or f"({live.id})" in move.target)
