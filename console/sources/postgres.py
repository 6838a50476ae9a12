"""The targets that are asked in SQL. psycopg is imported only when there is one: it costs 60 ms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.model.configuration import CustomMetric, Environment
from console.model.observation import Source

if TYPE_CHECKING:
    from console.sources.postgres_session import Endpoint


def build(environment: Environment) -> list[Source]:
    """The targets `postgres.*` and `supabase.pooler`, as far as configured; nothing is opened before the first poll.

    At most four connections in all, kept open: one for activity and canary, one for the catalogue, one for statements
    of people's own, one to the pooler.
    """
    sources: list[Source] = []
    if environment.database is not None:
        sources += _direct(environment)
    if environment.supabase is not None and environment.supabase.pooler is not None:
        sources.append(_pooler(environment))
    return sources


def _direct(environment: Environment) -> list[Source]:
    from console.sources.postgres_activity import ActivitySource
    from console.sources.postgres_canary import CanarySource
    from console.sources.postgres_catalogue import CatalogueSource
    from console.sources.postgres_session import Endpoint, Limits, Session

    assert environment.database is not None
    endpoint = Endpoint(environment.database, "database", authority=environment.database_ca)
    live, catalogue = Session(endpoint), Session(endpoint, Limits(statement_ms=3000))
    interval_s, thresholds = environment.intervals.database_s, environment.thresholds
    custom = [metric for metric in environment.custom if metric.sql is not None]
    return [
        ActivitySource(live, thresholds, interval_s=interval_s),
        CanarySource(
            "postgres.canary", (live, catalogue), interval_s=interval_s, slow_ms=environment.thresholds.query_ms
        ),
        CatalogueSource(catalogue, interval_s=environment.intervals.catalogue_s),
        *(_custom(endpoint, custom) if custom else ()),
    ]


def _custom(endpoint: Endpoint, metrics: Sequence[CustomMetric]) -> list[Source]:
    """On a session of their own: whatever they do, nobody waits for them but each other."""
    from console.sources.custom_sql import CustomSqlSource, Turns
    from console.sources.postgres_session import Session

    session, turns = Session(endpoint), Turns()
    return [CustomSqlSource(metric, session, turns) for metric in metrics]


def _pooler(environment: Environment) -> Source:
    from console.sources.postgres_canary import CanarySource
    from console.sources.postgres_session import Endpoint, Session

    assert environment.supabase is not None and environment.supabase.pooler is not None
    endpoint = Endpoint(environment.supabase.pooler, "supabase.pooler", authority=environment.database_ca)
    return CanarySource(
        "supabase.pooler",
        (Session(endpoint),),
        interval_s=environment.intervals.supabase_s,
        slow_ms=environment.thresholds.query_ms,
    )
