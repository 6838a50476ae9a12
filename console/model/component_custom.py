"""Figures of people's own in the components: listed, told where they fail, never a reason for a state.

What asks the database stands at the database, what asks Prometheus at this host, whose own view of things it is. A
figure that gives no value at night is a chart with a gap and no incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from console.model.finding import Assessment, words_of
from console.model.observation import Outcome
from console.model.situation import Situation
from console.model.states import State
from console.model.track import Track
from console.model.words import listed

PLACES = {"database": "sql:", "bastion": "prometheus:"}
"""Component to the targets that it lists."""


def with_custom(situation: Situation, assessment: Assessment) -> Assessment:
    """The component with the figures that stand at it, and a sentence for those without a value."""
    prefix = PLACES.get(assessment.judgement.key)
    tracks = situation.under(prefix) if prefix else []
    if not tracks:
        return assessment
    judgement = assessment.judgement
    sentences = _sentences(situation, tracks)
    return replace(
        assessment,
        judgement=replace(
            judgement,
            targets=(*judgement.targets, *(track.target for track in tracks)),
            explanation=(*judgement.explanation, *sentences),
        ),
    )


def _sentences(situation: Situation, tracks: Sequence[Track]) -> tuple[str, ...]:
    """One sentence for each reason that figures have no value, or one that is doubtful."""
    reasons: dict[str, list[str]] = {}
    for track in tracks:
        if track.newest is not None and not situation.excused(track) and _is_lacking(track):
            reasons.setdefault(words_of(track), []).append(track.target.partition(":")[2])
    return tuple(
        f"Own {'figure' if len(names) == 1 else 'figures'} {listed(names)}: {words}."
        for words, names in reasons.items()
    )


def _is_lacking(track: Track) -> bool:
    newest = track.newest
    return newest is not None and (newest.outcome is not Outcome.ANSWERED or newest.state is not State.HEALTHY)
