"""What served production in which order, and what is held against a deployment. Pure: rows in, words out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from console.model.causes import BEFORE_MS
from console.model.observation import Json
from console.model.value import value

_APPLICATION = frozenset({"application", "routes", "users"})
"""Components whose faults can be a deployment's."""
SEEN_AT_LEAST_MS = 240_000
"""Of a shorter time nothing is known but by chance: effects leave its first minute out, and want two."""


@value
class Stretch:
    """A time in which one deployment served production."""

    id: str
    began_ms: int
    until_ms: int | None
    """None: it still serves, or nobody saw its end."""
    kind: str
    """`rollback`, or `deployment`: all else by which it went live."""
    by: str | None
    created_ms: int | None

    def length_ms(self, at_ms: int) -> int:
        """For how long, by a moment."""
        return max(0, (self.until_ms or at_ms) - self.began_ms)


@value
class Blame:
    """What was held against a deployment while it served. `likely`: by what is known it was its doing."""

    words: str
    likely: bool


def of(lives: Sequence[Stretch], deployment: str) -> list[Stretch]:
    """The times of one of them, newest first as they are given."""
    return [each for each in lives if each.id == deployment]


def telling(lives: Sequence[Stretch], at_ms: int) -> Stretch | None:
    """The time that tells most of a deployment that has gone: the newest that was long enough, else the longest. A
    few seconds after a promotion do not wipe out what hours before have shown."""
    long = next((each for each in lives if each.length_ms(at_ms) >= SEEN_AT_LEAST_MS), None)
    return long or max(lives, key=lambda each: each.length_ms(at_ms), default=None)


def gone_back_from(lives: Sequence[Stretch], deployment: str) -> Stretch | None:
    """What took its place, if production went back by it: by a rollback, or to an older build that had served before.
    None: it was not left so, or has served again since. `lives`: newest first."""
    place = next((at for at, each in enumerate(lives) if each.id == deployment), 0)
    if place == 0:
        return None
    own, after = lives[place], lives[place - 1]
    if after.kind == "rollback":
        return after
    served_before = any(each.id == after.id for each in lives[place + 1 :])
    is_older = None not in (own.created_ms, after.created_ms) and (after.created_ms or 0) < (own.created_ms or 0)
    return after if served_before and is_older else None


def blame(reasons: Iterable[Mapping[str, Json]], short: str, stretch: Stretch) -> Blame | None:
    """The gravest of a verdict's reasons that began with a deployment. `reasons`: as they are stored."""
    found: Blame | None = None
    for reason in reasons:
        cause, since_ms = str(reason.get("cause") or ""), reason.get("since_ms")
        named = reason.get("component") in _APPLICATION and f"deployment {short}" in cause
        if not named or not isinstance(since_ms, int) or abs(since_ms - stretch.began_ms) > BEFORE_MS:
            continue
        this = Blame(words=str(reason.get("text") or ""), likely=cause.endswith("likely"))
        found = this if found is None or (this.likely and not found.likely) else found
    return found
