"""What the demo's owners count: the figures in its radar.toml, and what they were in the 30 days before."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

INTERVAL_S = 30
"""Of every custom figure: at 10 s they took the collector beyond 1 % of a core."""
MINUTES_AN_HOUR = 60
CLIENTS = 120
REVIEWS_SHARE, AUDITS_SHARE = 0.084, 0.036
"""Of the users' requests: twelve in a hundred write, seven of ten a review."""
QUEUE = "review_import_queue_length"

Past = Callable[[float, float], float]
"""(users' requests in a minute, days before now) to the figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One `[[environments.demo.custom]]`."""

    name: str
    title: str
    page: str
    source: str
    """`sql`, `query` or `series`."""
    asked: str
    unit: str = ""
    statistic: str = "mean"
    at_most: float | None = None
    at_least: float | None = None
    past: Past | None = None
    """None: a series that has its own past."""

    @property
    def polled(self) -> str | None:
        """The target that is polled for it; None for a series that is stored anyway."""
        prefix = {"sql": "sql", "query": "prometheus"}.get(self.source)
        return f"{prefix}:{self.name}" if prefix else None


def _active(requests: float, _: float) -> float:
    """Clients with a review or an audit in a minute, when each write is of anybody."""
    return CLIENTS * (1 - math.exp(-requests * (REVIEWS_SHARE + AUDITS_SHARE) / CLIENTS))


FIGURES = (
    Figure(
        name="active_clients", title="clients active", page="business", source="sql", past=_active,
        asked="""\
select count(distinct client_id) from (
  select client_id from reviews where created_at > now() - interval '1 minute'
  union all
  select client_id from audits where created_at > now() - interval '1 minute') written""",
    ),
    Figure(
        name="reviews_per_hour", title="reviews written", page="business", source="sql", unit="/h",
        asked="select 60 * count(*) from reviews where created_at > now() - interval '1 minute'",
        past=lambda requests, _: REVIEWS_SHARE * requests * MINUTES_AN_HOUR,
    ),
    Figure(
        name="audits_per_hour", title="audits done", page="business", source="sql", unit="/h",
        asked="select 60 * count(*) from audits where state = 'done' and created_at > now() - interval '1 minute'",
        past=lambda requests, _: AUDITS_SHARE * requests * MINUTES_AN_HOUR,
    ),
    Figure(
        name="paid_share", title="clients on a paid plan", page="business", source="sql", unit="%", at_least=45.0,
        asked="select 100.0 * count(*) filter (where plan <> 'starter') / nullif(count(*), 0) from clients",
        past=lambda _, days: 50.0 - 0.2 * math.ceil(days),
    ),
    Figure(
        name="good_reviews", title="reviews of 4 or 5 stars", page="business", source="sql", unit="%",
        asked="""\
select 100.0 * count(*) filter (where rating >= 4) / nullif(count(*), 0)
from reviews where created_at > now() - interval '1 day'""",
        past=lambda requests, _: 62.0 + requests / 300,
    ),
    Figure(
        name="import_queue", title="reviews waiting for import", page="custom", source="query",
        asked=f"max({QUEUE})", past=lambda requests, _: 2.0 + requests / 100,
    ),
    Figure(
        name="canary_p95", title="canary query", page="custom", source="series", unit="ms", statistic="p95",
        asked="postgres.canary|latency_ms", at_most=100.0,
    ),
)  # fmt: skip


def queue_length(at_s: float) -> float:
    """How many reviews wait for their import: it follows the day of the demo's users, ten minutes long."""
    return round(8 + 5 * math.sin(at_s / 600 * math.tau) + 2 * math.sin(at_s / 47 * math.tau))


def targets(prefix: str) -> tuple[str, ...]:
    """The polled targets that begin so."""
    return tuple(figure.polled for figure in FIGURES if figure.polled and figure.polled.startswith(prefix))


def pasts() -> Iterator[tuple[str, Past]]:
    """(series, its past) of the figures that are polled."""
    for figure in FIGURES:
        if figure.polled and figure.past:
            yield f"{figure.polled}|value", figure.past


def toml(prometheus: str) -> str:
    """The tables of radar.toml; `prometheus` is the address of the stand-in."""
    head = f'\n[environments.demo.prometheus]\nurl = "{prometheus}"\ntoken = "${{PROMETHEUS_TOKEN}}"\n'
    return head + "".join(_table(figure) for figure in FIGURES)


def _table(figure: Figure) -> str:
    quote = '"""' if "\n" in figure.asked else '"'
    values = {
        "name": f'"{figure.name}"',
        "title": f'"{figure.title}"',
        "page": f'"{figure.page}"',
        figure.source: f"{quote}{figure.asked}{quote}",
        "unit": f'"{figure.unit}"' if figure.unit else None,
        "at_most": figure.at_most,
        "at_least": figure.at_least,
        "statistic": f'"{figure.statistic}"',
        "interval_s": INTERVAL_S,
    }
    lines = [f"{name} = {value}" for name, value in values.items() if value is not None]
    return "\n".join(["", "[[environments.demo.custom]]", *lines, ""])
