"""The life of an alert: pending, firing, resolved. Pure: standings and measures in, standings and changes out.

Unknown data neither fires nor resolves: time counts only between two measures in a row that say the same. What is lost
with the collector are pending times, at most the rule's own duration; open alerts are read back from the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from console.model.configuration import Severity
from console.model.judgement import AlertChange, RuleReading
from console.model.moment import Moment
from console.model.observation import Origin

NOT_AGAIN_S = 300.0
"""The same rule fires for the same subject at most once in five minutes."""
LONGEST_STEP_S = 30.0
"""A longer pause between two judgements (a stopped collector) proves nothing for its whole length."""

Key = tuple[str, str]


class Says(Enum):
    """What one measure says of its limit."""

    BREACHED = auto()
    BETWEEN = auto()
    """Under the limit, but not so far that an alert would end."""
    CLEARED = auto()
    UNKNOWN = auto()
    HELD = auto()
    """Unknown since this bastion is offline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """A rule as shown: how long it must be breached (s) to fire and cleared (s) to resolve."""

    name: str
    severity: Severity
    condition: str
    for_s: float
    resolve_s: float = 60.0
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One rule applied to one subject in one round."""

    subject: str
    says: Says
    text: str = ""
    origin: Origin = Origin.NONE
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one rule stands for one subject."""

    says: Says = Says.UNKNOWN
    seen: Moment | None = None
    pending: Moment | None = None
    breached_s: float = 0.0
    cleared_s: float = 0.0
    firing: AlertChange | None = None
    ended: Moment | None = None

    @property
    def idle(self) -> bool:
        """Nothing is under way and nothing has to be remembered."""
        return self.pending is None and self.firing is None and self.ended is None


Standings = Mapping[Key, Standing]
Measured = Sequence[tuple[AlertRule, Sequence[Measure]]]


def reopened(alerts: Iterable[AlertChange]) -> dict[Key, Standing]:
    """The standings of a collector that starts: alerts that are open in the store."""
    return {(alert.rule, alert.subject): Standing(firing=alert) for alert in alerts}


def step(standings: Standings, measured: Measured, now: Moment) -> tuple[dict[Key, Standing], tuple[AlertChange, ...]]:
    """The standings after this round, and the alerts that begin or end in it."""
    after: dict[Key, Standing] = {}
    changes: list[AlertChange] = []
    for rule, measure, before in _pairs(standings, measured):
        standing, change = _step(rule, measure, before, now)
        changes += [change] if change else []
        if not standing.idle:
            after[rule.name, measure.subject] = standing
    return after, tuple(changes)


def _pairs(standings: Standings, measured: Measured) -> Iterable[tuple[AlertRule, Measure, Standing]]:
    """Every measure with its standing; and every standing that nothing measures any more, as cleared."""
    left = dict(standings)
    for rule, measures in measured:
        for measure in measures:
            yield rule, measure, left.pop((rule.name, measure.subject), Standing())
    for (name, subject), standing in left.items():
        severity = standing.firing.severity if standing.firing else "low"
        gone = AlertRule(name=name, severity=severity, condition="", for_s=0.0)
        yield gone, Measure(subject=subject, says=Says.CLEARED, text="no longer watched"), standing


def _step(rule: AlertRule, measure: Measure, before: Standing, now: Moment) -> tuple[Standing, AlertChange | None]:
    if measure.says in (Says.UNKNOWN, Says.HELD):
        return replace(before, says=measure.says, seen=now), None
    same_s = _lasted_s(before, measure.says, now)
    noted = replace(before, says=measure.says, seen=now, ended=_remembered(before.ended, now))
    if noted.firing is not None:
        return _step_firing(rule, noted, noted.firing, measure, same_s, now)
    return _step_quiet(rule, noted, measure, same_s, now)


def _lasted_s(before: Standing, says: Says, now: Moment) -> float:
    """Seconds for which the measure has said the same since the round before."""
    if before.says is not says or before.seen is None:
        return 0.0
    return min(now.since_s(before.seen), LONGEST_STEP_S)


def _remembered(ended: Moment | None, now: Moment) -> Moment | None:
    return ended if ended and now.since_s(ended) < NOT_AGAIN_S else None


def _step_firing(
    rule: AlertRule, standing: Standing, alert: AlertChange, measure: Measure, same_s: float, now: Moment
) -> tuple[Standing, AlertChange | None]:
    cleared_s = standing.cleared_s + same_s if measure.says is Says.CLEARED else 0.0
    if measure.says is not Says.CLEARED or cleared_s < rule.resolve_s:
        return replace(standing, cleared_s=cleared_s), None
    ended = replace(alert, ended_ms=max(now.wall_ms, alert.began_ms), value=measure.value)
    return Standing(says=measure.says, seen=now, ended=now), ended


def _step_quiet(
    rule: AlertRule, standing: Standing, measure: Measure, same_s: float, now: Moment
) -> tuple[Standing, AlertChange | None]:
    if measure.says is not Says.BREACHED:
        return replace(standing, pending=None, breached_s=0.0), None
    pending, breached_s = standing.pending or now, standing.breached_s + same_s
    if breached_s < rule.for_s or standing.ended is not None:
        return replace(standing, pending=pending, breached_s=breached_s), None
    alert = _begun(rule, measure, pending, now)
    return Standing(says=measure.says, seen=now, firing=alert), alert


def _begun(rule: AlertRule, measure: Measure, pending: Moment, now: Moment) -> AlertChange:
    return AlertChange(
        rule=rule.name,
        subject=measure.subject,
        severity=rule.severity,
        text=measure.text,
        origin=measure.origin,
        pending_ms=min(pending.wall_ms, now.wall_ms),
        began_ms=now.wall_ms,
        value=measure.value,
        limit=measure.limit,
        unit=rule.unit,
    )


# --- how near each rule is to firing ----------------------------------------------------------------------------------

_WORST_FIRST = ("firing", "pending", "held", "ok", "unknown")


def readings(standings: Standings, measured: Measured) -> tuple[RuleReading, ...]:
    """How each rule stands after `step`, by its worst subject."""
    return tuple(_reading(standings, rule, measures) for rule, measures in measured)


def _reading(standings: Standings, rule: AlertRule, measures: Sequence[Measure]) -> RuleReading:
    states = [(_word(standings.get((rule.name, each.subject)), each), each) for each in measures]
    states.sort(key=lambda pair: (_WORST_FIRST.index(pair[0]), -_nearness(pair[1])))
    word, worst = states[0] if states else ("unknown", None)
    return RuleReading(
        name=rule.name,
        severity=rule.severity,
        condition=rule.condition,
        state=word,
        value=worst.value if worst else None,
        unit=rule.unit,
    )


def _word(standing: Standing | None, measure: Measure) -> str:
    if measure.says is Says.HELD:
        return "held"
    if standing and standing.firing:
        return "firing"
    if measure.says is Says.UNKNOWN:
        return "unknown"
    return "pending" if standing and standing.pending else "ok"


def _nearness(measure: Measure) -> float:
    if measure.value is None:
        return 0.0
    return measure.value / measure.limit if measure.limit else measure.value
