"""What used up an error budget: the incidents of a component, and hours that missed the target without one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from console.model.metric_views import Consumer
from console.model.observation import Buckets
from console.model.slo import BUDGET_S, Count, Target, summed
from console.model.states import State, rank
from console.model.words import milliseconds, percent
from console.store.codec import Record
from console.store.maintained import AFTER_MS, KIND, Maintained, maintained
from console.store.moment import Moment
from console.store.names import COMPONENT, HOUR_MS, JUDGED, MINUTE_MS, VERDICT
from console.store.slo_counts import Stretch
from console.store.timeline import wall_of
from console.store.window import Series, ceiling

MOST = 8
LEAST_SHARE = 0.005
"""Less than half a per cent of the budget is not worth a line."""
ONE_MS = 5 * MINUTE_MS
"""An incident that comes back within this is the same one, unless something else is named as its cause."""
VERDICTS = 20
"""Verdicts of an incident that are looked at for its cause: it is named within the first few."""
_FIGURES = {"p95": "p95", "errors": "errors", "memory": "memory", "query": "db query"}
"""What the figures of the targets are called where each judgement keeps them."""
_BAD = (State.UNHEALTHY, State.DEGRADED)


@dataclass(slots=True)
class Incident:
    """A stretch of time in which a component was not well, and what it took of the budget."""

    began_ms: int
    ended_ms: int
    bad: float = 0.0
    parts: list[Count] = field(default_factory=list)
    """Of those without a judgement: the hours that make it up."""


def incidents(moment: Moment, component: str) -> list[Incident]:
    """The component's stretches of not being well in the budget's window, oldest first."""
    found: list[Incident] = []
    for low, high, state in reversed(moment.stretches(COMPONENT + component, moment.at_ms - BUDGET_S * 1000)):
        if state not in _BAD:
            continue
        if found and _is_same(moment, component, found[-1], Incident(low, high)):
            found[-1].ended_ms = max(high, found[-1].ended_ms)
        else:
            found.append(Incident(low, high))
    return found


def _is_same(moment: Moment, component: str, before: Incident, after: Incident) -> bool:
    """Whether one goes on with the other. Between them it was well: then what is blamed tells whether it came back."""
    if not 0 < after.began_ms - before.ended_ms < ONE_MS:
        return after.began_ms <= before.ended_ms
    causes = (_cause(_reasons(moment, component, each)) for each in (before, after))
    return next(causes) == next(causes)


def consumers(moment: Moment, target: Target, stretches: Sequence[Stretch]) -> tuple[Consumer, ...]:
    """The greatest first, each with its share of the whole budget; last what is spread over hours that met the target.
    Then what took nothing of it: maintenance that was announced, and is left out.

    Of an hour that is kept as a whole all that is bad is held against the incidents in it, by their length.
    """
    return (*_used(moment, target, stretches), *(_left_out(moment) if target.key == "uptime" else ()))


def _left_out(moment: Moment) -> list[Consumer]:
    """The newest of the announced maintenances."""
    found = [each for each in maintained(moment, moment.at_ms - BUDGET_S * 1000) if each.announced]
    return [
        Consumer(
            began_ms=each.began_ms,
            ended_ms=None if each.goes_on else each.ended_ms,
            subject=KIND,
            text=f"maintenance{_by(each)}, announced: left out",
            budget_share=0.0,
            component="application",
        )
        for each in reversed(found[-MOST:])
    ]


def _by(one: Maintained) -> str:
    return f" by {one.by}" if one.by else ""


def _used(moment: Moment, target: Target, stretches: Sequence[Stretch]) -> tuple[Consumer, ...]:
    whole = summed((stretch.count for stretch in stretches), figures=False)
    budget = whole.counted * (1 - target.objective)
    if budget <= 0 or whole.bad <= 0:
        return ()
    judged = incidents(moment, target.component)
    spread = _hold_against(judged, stretches, target)
    unjudged = _joined(stretch for stretch in spread if _missed(stretch.count, target))
    great = sorted((*judged, *unjudged), key=lambda incident: -incident.bad)
    told = [_consumer(moment, target, one, budget) for one in great[: MOST - 1] if one.bad >= budget * LEAST_SHARE]
    rest = whole.bad - sum(one.bad for one in (*judged, *unjudged))
    if rest >= budget * LEAST_SHARE:
        told.append(_rest(moment, target, stretches, rest / budget))
    return tuple(sorted(told, key=lambda consumer: -consumer.budget_share))


def _hold_against(judged: Sequence[Incident], stretches: Iterable[Stretch], target: Target) -> list[Stretch]:
    """Divide what is bad among the incidents that it overlaps with; gives the stretches that overlap with none."""
    ends = [incident.ended_ms for incident in judged]
    left = []
    for stretch in stretches:
        if stretch.count.bad <= 0:
            continue
        low, high = wall_of(stretch.start), wall_of(stretch.end)
        touched: list[tuple[Incident, int]] = []
        for incident in judged[bisect_left(ends, low) :]:
            if incident.began_ms >= high:
                break
            touched.append((incident, max(1, min(high, incident.ended_ms) - max(low, incident.began_ms))))
        for incident, length in touched:
            incident.bad += stretch.count.bad * length / sum(each for _, each in touched)
        if not touched:
            left.append(stretch)
    return left


def _missed(count: Count, target: Target) -> bool:
    share = count.good_share
    return share is not None and share < target.objective


def _joined(stretches: Iterable[Stretch]) -> list[Incident]:
    """Neighbouring stretches as one."""
    found: list[Incident] = []
    for stretch in stretches:
        low, high = wall_of(stretch.start), wall_of(stretch.end)
        if not found or low - found[-1].ended_ms >= ONE_MS:
            found.append(Incident(low, high))
        found[-1].ended_ms = max(high, found[-1].ended_ms)
        found[-1].bad += stretch.count.bad
        found[-1].parts.append(stretch.count)
    return found


def _consumer(moment: Moment, target: Target, incident: Incident, budget: float) -> Consumer:
    subject, text, cause = _told(moment, target, incident)
    return Consumer(
        began_ms=incident.began_ms,
        ended_ms=None if _goes_on(moment, target, incident) else min(incident.ended_ms, moment.at_ms),
        subject=subject,
        text=text,
        budget_share=incident.bad / budget,
        component=target.component,
        cause=cause,
    )


def _goes_on(moment: Moment, target: Target, incident: Incident) -> bool:
    span = moment.span(COMPONENT + target.component)
    return not incident.parts and span is not None and span.state in _BAD and incident.ended_ms >= moment.at_ms


def _told(moment: Moment, target: Target, incident: Incident) -> tuple[str, str, str | None]:
    """(subject, words, cause): as the verdicts of then told it, else as the component's judgement explains it."""
    if (held := _maintenance_of(moment, incident)) is not None:
        return KIND, f"maintenance{_by(held)}, not announced: it counts, and no burn rate does it", None
    if incident.parts:
        found = summed(incident.parts, figures=False)
        share = percent(found.bad / found.counted)
        return target.component, f"{share} of the {target.counted} missed the target; nothing was judged", None
    reasons = _reasons(moment, target.component, incident)
    worst = _at_worst(moment, target, incident)
    if reasons:
        gravest = max(reasons, key=lambda reason: rank(State(reason["state"])))
        return target.component, f"{gravest['text']}{worst}", _cause(reasons)
    return target.component, f"{_explained(moment, target.component, incident)}{worst}", None


def _cause(reasons: Iterable[Record]) -> str | None:
    """What was blamed first."""
    return next((reason["cause"] for reason in reasons if reason["cause"]), None)


def _at_worst(moment: Moment, target: Target, incident: Incident) -> str:
    """The worst figure of the incident as it was judged then: the words of a reason are those of its begin."""
    worst = _greatest(moment, f"{JUDGED}|{_FIGURES.get(target.key)}", incident)
    if worst is None or worst <= target.target:
        return ""
    return f"; at worst {milliseconds(worst) if target.unit == 'ms' else percent(worst)}"


def _greatest(moment: Moment, key: str, incident: Incident) -> float | None:
    """The greatest value of a series in an incident: of its minutes, and of rounds that are not packed."""
    series = Series(moment, key)
    low, high = moment.timeline.position(incident.began_ms), moment.timeline.position(incident.ended_ms)
    high = min(high, moment.position)
    (packed,) = moment.connection.execute(
        "SELECT max(max) FROM rollup_minute WHERE series_id = ? AND start >= ? AND start <= ?",
        (series.number, ceiling(low, MINUTE_MS), high - MINUTE_MS),
    ).fetchone()
    rounds = (sample for _, sample in series.unpacked(low, high) if not isinstance(sample, Buckets))
    return max([*rounds, *([packed] if packed is not None else [])], default=None)


def _maintenance_of(moment: Moment, incident: Incident) -> Maintained | None:
    """The maintenance that lies in most of it; one hour in which it was short counts as a whole."""
    length = incident.ended_ms - incident.began_ms
    for each in maintained(moment, incident.began_ms):
        shared = min(incident.ended_ms, each.ended_ms + AFTER_MS) - max(incident.began_ms, each.began_ms - MINUTE_MS)
        if not each.announced and (shared * 2 > length or (incident.parts and shared > 0)):
            return each
    return None


def _reasons(moment: Moment, component: str, incident: Incident) -> list[Record]:
    spans = _begun(moment, VERDICT, incident, VERDICTS)
    return [reason for body in spans for reason in body["reasons"] if reason["component"] == component]


def _explained(moment: Moment, component: str, incident: Incident) -> str:
    bodies = _begun(moment, COMPONENT + component, incident, 1)
    return str(next((sentence for body in bodies for sentence in body["explanation"]), "not well, as judged then"))


def _begun(moment: Moment, target: str, incident: Incident, limit: int) -> list[Record]:
    """The judgements of a target that began in the incident, oldest first."""
    rows = moment.connection.execute(
        "SELECT id FROM span WHERE target_id = ? AND began_at BETWEEN ? AND ? ORDER BY began_at LIMIT ?",
        (
            moment.keys.get(target),
            moment.timeline.position(incident.began_ms),
            min(moment.timeline.position(incident.ended_ms), moment.position),
            limit,
        ),
    ).fetchall()
    return [span.body for (number,) in rows if (span := moment.span_by_id(number)) is not None]


def _rest(moment: Moment, target: Target, stretches: Sequence[Stretch], share: float) -> Consumer:
    first_ms = wall_of(stretches[0].start) if stretches else moment.at_ms - HOUR_MS
    return Consumer(
        began_ms=first_ms,
        ended_ms=moment.at_ms,
        subject="",
        text="a little at all times, while the target was met",
        budget_share=share,
        component=target.component,
    )
