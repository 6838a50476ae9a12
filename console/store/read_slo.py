"""The SLO board at a moment: every target with its windows, its budget, its burn rates and what used it up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.model import slo
from console.model.component_users import is_told, told_by
from console.model.configuration import Environment, Thresholds
from console.model.metric_views import BurnRate, Consumer, Objective, ObjectiveCell
from console.model.observation import Origin
from console.model.slo import Count, Target
from console.model.states import State
from console.store.maintained import Maintained, maintained
from console.store.moment import Moment
from console.store.slo_counts import Closed, Counts, Recipe, minutes_below, ones, succeeded, within
from console.store.slo_incidents import consumers
from console.store.uptime import UP

PROBE_LONGEST_S = slo.DAY_S
"""Where probes stand in they do so up to a day: thirty days of 200 routes would be 144,000 histograms."""
_USERS = "metrics"
_CANARY = "postgres.canary"
_ROUTE = "route:"


def recipes(limits: Thresholds, memory_limit_bytes: float | None = None) -> Mapping[str, Recipe]:
    """How each target is counted, by its key."""
    return {
        "p95": within("p95", [f"{_USERS}|latency_ms"], [], limits.p95_ms),
        "errors": succeeded("errors", f"{_USERS}|requests", f"{_USERS}|errors"),
        "uptime": ones("uptime", [UP], value_is_bad=False),
        "memory": minutes_below(
            "memory", f"{_USERS}|memory_bytes", f"{_USERS}|memory_limit_bytes", limits.memory_share, memory_limit_bytes
        ),
        "query": within("query", [f"{_CANARY}|latency_ms"], [f"{_CANARY}|ok"], limits.query_ms, _CANARY),
    }


def objectives(
    moment: Moment, environment: Environment, closed: Closed, windows_s: Sequence[int]
) -> tuple[Objective, ...]:
    """All targets at the moment."""
    limits = environment.thresholds
    made = recipes(limits, environment.memory_limit_bytes)
    return tuple(
        _objective(moment, environment, target, Counts(moment, made[target.key], closed), closed, windows_s)
        for target in slo.targets(limits)
    )


def unknown(environment: Environment, windows_s: Sequence[int]) -> tuple[Objective, ...]:
    """The targets over a store that does not exist yet."""
    absent = "nothing is recorded yet: start radar collect"
    return tuple(
        _made(target, tuple(slo.cell(Count(), seconds) for seconds in windows_s), State.UNKNOWN, absent=absent)
        for target in slo.targets(environment.thresholds)
    )


def burn_rates(moment: Moment, limits: Thresholds, closed: Closed) -> dict[str, tuple[BurnRate, ...]]:
    """The burn rates of the targets that alert, by their keys."""
    made, without = recipes(limits), _without(moment)
    return {
        target.key: _burn(target, Counts(moment, made[target.key], closed, without))
        for target in slo.targets(limits)
        if target.key in slo.ALERTED
    }


def _without(moment: Moment) -> list[Maintained]:
    """The maintenances that no burn rate counts: whoever put it into maintenance need not be told that users are turned
    away. Whether the budget counts them is another matter: see `Upkeep` and docs/maintenance.md."""
    return maintained(moment, moment.at_ms - slo.BURN_WINDOWS_S[-1] * 1000)


def _burn(target: Target, counts: Counts) -> tuple[BurnRate, ...]:
    over = {seconds: counts.window(seconds, figures=False) for seconds in slo.BURN_WINDOWS_S}
    return tuple(
        slo.burn(pair, over[pair.long_s], over[pair.short_s], target.objective, target.minimum) for pair in slo.PAIRS
    )


def _objective(
    moment: Moment,
    environment: Environment,
    target: Target,
    counts: Counts,
    closed: Closed,
    windows_s: Sequence[int],
) -> Objective:
    whole = counts.window(slo.BUDGET_S, figures=slo.BUDGET_S in windows_s)
    if whole.counted <= 0 and target.key in ("p95", "errors") and not is_told(environment):
        return _probed(moment, target, environment, closed, windows_s)
    over = {slo.BUDGET_S: whole}
    cells = tuple(
        slo.cell(over.get(seconds) or counts.window(seconds), seconds, target.minimum) for seconds in windows_s
    )
    left = slo.budget_left(whole, target.objective, target.minimum)
    without = _without(moment)
    burn = _burn(target, Counts(moment, counts.recipe, closed, without) if without else counts)
    known = {cell.window_s: cell for cell in cells}
    recent = tuple(
        known.get(seconds) or slo.cell(counts.window(seconds), seconds, target.minimum) for seconds in slo.RECENT_S
    )
    state = slo.state_of(cells, left, burn, target.objective, recent)
    absent = _absent(target, environment, whole) if state is State.UNKNOWN else None
    return _made(
        target,
        cells,
        _shown(moment, environment, target, state, whole),
        left=left,
        burn=burn,
        used=consumers(moment, target, counts.stretches(slo.BUDGET_S)) if left is not None else (),
        origin=told_by(environment) if target.origin is Origin.USERS else None,
        absent=absent,
    )


def _shown(moment: Moment, environment: Environment, target: Target, state: State, whole: Count) -> State:
    """While nobody judges no state is of now; what is not configured and has no past is not unknown but absent."""
    if target.key == "query" and environment.database is None and whole.counted <= 0:
        return State.NOT_CONFIGURED
    return state if moment.judged else State.STALE


def _absent(target: Target, environment: Environment, whole: Count) -> str:
    """Why a target is unknown and what would make it known."""
    if whole.counted > 0:
        share = slo.observed_share(whole, slo.BUDGET_S)
        return f"too little was observed: {share:.1%} of 30 days; figures need half of their window".replace("%", " %")
    if target.key == "query" and environment.database is None:
        return 'no database is configured: database = "postgresql://…" has it asked'
    if target.key == "query":
        return "the database was not asked in 30 days: radar doctor tries it"
    if target.key == "uptime":
        return "nothing was judged in 30 days: radar collect does"
    if not is_told(environment):
        return 'the application offers no metrics: metrics = "/api/metrics" reads them once it does'
    if target.key == "memory":
        return "the metrics hold no memory, or no limit: memory_limit_bytes sets one"
    return "no users' requests were read in 30 days: radar doctor tries the metrics"


def _probed(
    moment: Moment, target: Target, environment: Environment, closed: Closed, windows_s: Sequence[int]
) -> Objective:
    """The probes' figures where the users' are unknown: named as such, without a budget."""
    routes = sorted(key for key in moment.keys if key.startswith(_ROUTE))
    polls = [f"{key}|ok" for key in routes]
    recipe = (
        within("probe p95", [f"{key}|latency_ms" for key in routes], polls, target.target)
        if target.key == "p95"
        else ones("probe errors", polls, value_is_bad=True)
    )
    counts = Counts(moment, recipe, closed)
    cells = tuple(_probe_cell(counts, seconds) for seconds in windows_s)
    state = State.UNKNOWN if moment.judged else State.STALE
    absent = f"{_absent(target, environment, Count())}; until then the figures are the probes'"
    seen = any(cell.good_share is not None for cell in cells)
    return _made(target, cells, state, origin=Origin.PROBE if seen else Origin.NONE, absent=absent)


def _probe_cell(counts: Counts, seconds: int) -> ObjectiveCell:
    return slo.cell(counts.window(seconds) if seconds <= PROBE_LONGEST_S else Count(), seconds)


def _made(
    target: Target,
    cells: tuple[ObjectiveCell, ...],
    state: State,
    *,
    left: float | None = None,
    burn: tuple[BurnRate, ...] = (),
    used: tuple[Consumer, ...] = (),
    origin: Origin | None = None,
    absent: str | None = None,
) -> Objective:
    return Objective(
        key=target.key,
        name=target.name,
        target=target.target,
        unit=target.unit,
        objective=target.objective,
        counted="probes" if origin is Origin.PROBE else target.counted,
        origin=target.origin if origin is None else origin,
        cells=cells,
        budget_left=left,
        burn=burn or tuple(slo.burn(pair, Count(), Count(), target.objective) for pair in slo.PAIRS),
        consumers=used,
        state=state,
        absent=absent,
    )
