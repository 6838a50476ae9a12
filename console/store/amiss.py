"""Why a polled target gives nothing at a moment, in words."""

from __future__ import annotations

from console.model.observation import Outcome
from console.store.moment import Moment
from console.store.read_health import clock_text
from console.store.timeline import wall_of


def amiss(moment: Moment, target: str) -> str | None:
    """Why a target gives nothing now, with since when; None: it does, or is none that is polled."""
    span = moment.span(target)
    if span is None:
        return None
    if moment.late(span):
        return f"not polled since {clock_text(wall_of(span.last_at))}"
    if span.outcome == Outcome.ANSWERED:
        return None
    return f"{span.body['words']}, since {clock_text(_since_ms(moment, target))}"


def _since_ms(moment: Moment, target: str) -> int:
    """When the run of polls without an answer began."""
    began_at = 0
    for span in moment.spans(target, 20):
        if span.outcome == Outcome.ANSWERED:
            break
        began_at = span.began_at
    return wall_of(began_at)
