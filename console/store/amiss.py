"""Why a polled target gives nothing at a moment, or what is to be doubted of what it gives, in words."""

from __future__ import annotations

from console.model.observation import Outcome
from console.model.states import State
from console.store.moment import Moment, SpanAt
from console.store.read_health import clock_text
from console.store.timeline import wall_of

_FIGURES = ("sql:", "prometheus:")
_USERS = "metrics"
"""Targets whose answers are figures and nothing else: what is said against such an answer is said against the figures.
The states of the others are judgements of what was asked, and stand on Health."""


def amiss(moment: Moment, target: str) -> str | None:
    """Why a target gives nothing now, or only what is to be doubted (partial, warned of, no number), with since when;
    None: it gives all, or is none that is polled."""
    span = moment.span(target)
    if span is None:
        return None
    if moment.late(span):
        return f"not polled since {clock_text(wall_of(span.last_at))}"
    if span.outcome == Outcome.ANSWERED:
        return _doubt(span, target)
    return f"{span.body['words']}, since {clock_text(_since_ms(moment, target))}"


def _doubt(span: SpanAt, target: str) -> str | None:
    """What an answer of figures says against itself: NaN is no value, a part of a cluster is not all of it."""
    if span.state is State.HEALTHY or not (target == _USERS or target.startswith(_FIGURES)):
        return None
    return f"{span.body['words']}, since {clock_text(wall_of(span.since_at))}"


def _since_ms(moment: Moment, target: str) -> int:
    """When the run of polls without an answer began."""
    began_at = 0
    for span in moment.spans(target, 20):
        if span.outcome == Outcome.ANSWERED:
            break
        began_at = span.began_at
    return wall_of(began_at)
