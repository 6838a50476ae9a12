"""What the values of a configuration must satisfy beyond their types. Pure: a value in, `Misfit` or nothing out."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from console.model.configuration import CustomMetric, Environment, Prometheus, Rule, Secret, Supabase
from console.model.conversion import KeyPath, Misfit, convert
from console.model.expose import NotLoopback, loopback_address

INCIDENTS = ("application", "database", "deployment", "vendor", "security", "bastion", "any")
ENVIRONMENT_NAME = r"[a-z0-9][a-z0-9_-]{0,31}"
"""It is typed by people, and is the name of a directory."""

SHORTEST_INTERVAL_S = 0.5
SHORTEST_CUSTOM_S = 5.0
"""A figure of one's own costs the database or Prometheus as much as its author let it."""
LONGEST_INTERVAL_S = 86_400.0

# Compiled where first used: a start should not pay for what is not configured.
_REF = r"[a-z]{20}"
_METRIC_NAME = r"[a-z][a-z0-9_-]{0,39}"
_HOST_PORT = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})"
_DSN = r"postgres(?:ql)?://\S+|(?:\w+\s*=\s*(?:'[^']*'|\S+)\s*)+"


def check(environment: Environment, path: KeyPath) -> None:
    """Raise `Misfit` for the first value that cannot work; `figures` judges `custom`. `path`: where its table is."""
    check_url(environment.url, (*path, "url"), token=environment.metrics_token is not None)
    if environment.metrics_token and environment.metrics is None:
        raise Misfit((*path, "metrics_token"), "it belongs to metrics", 'write metrics = "/api/metrics" too')
    _paths(environment, path)
    check_dsn(environment.database, (*path, "database"))
    _certificates(environment, path)
    _hosted(environment, path)
    _numbers(environment.thresholds, (*path, "thresholds"))
    _intervals(environment, path)
    _rules(environment.rules, (*path, "rules"))
    _prometheus(environment.prometheus, (*path, "prometheus"))
    _expose(environment.expose, (*path, "expose"))
    _contacts(environment, path)


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address can only be this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def check_url(value: str, path: KeyPath, *, token: bool) -> None:
    """Raise `Misfit` unless it is an http or https URL; `token`: a secret goes there, so https or loopback."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Misfit(path, "this is no URL", "write one such as https://app.example.com") from None
    if parts.scheme not in ("http", "https") or not host or any(letter.isspace() for letter in value):
        raise Misfit(path, "this is no http or https URL", "write one such as https://app.example.com")
    if parts.username or parts.password:
        raise Misfit(path, "this URL carries a user or password, which would be shown", "remove the part before the @")
    if token and parts.scheme == "http" and not is_loopback(host):
        raise Misfit(path, "a secret would be sent there unencrypted", "write https://")


def _paths(environment: Environment, path: KeyPath) -> None:
    _path(environment.health, (*path, "health"))
    _path(environment.ping, (*path, "ping"))
    if environment.metrics:
        _path(environment.metrics, (*path, "metrics"))
    for position, route in enumerate(environment.routes):
        _path(route, (*path, "routes", position))
    _unique(environment.routes, (*path, "routes"))


def _path(value: str, path: KeyPath) -> None:
    if not value.startswith("/") or value.startswith("//") or any(letter.isspace() for letter in value):
        raise Misfit(path, "this is no path below the url", 'write one that begins with one slash, such as "/pricing"')


def check_dsn(value: Secret | None, path: KeyPath) -> None:
    """Raise `Misfit` unless it is None or a PostgreSQL address."""
    if value and not value.withheld and not re.fullmatch(_DSN, value.reveal()):
        raise Misfit(
            path,
            "this is no PostgreSQL address",
            "write postgresql://user:password@host:5432/name, best as ${DATABASE_URL}",
        )


def _certificates(environment: Environment, path: KeyPath) -> None:
    for position, value in enumerate(environment.certificates):
        match = re.fullmatch(_HOST_PORT, value)
        if not match or not 0 < int(match.group(1)) < 65536:
            raise Misfit((*path, "certificates", position), "this is no host:port", 'write "db.example.com:443"')


def _hosted(environment: Environment, path: KeyPath) -> None:
    if environment.vercel:
        check_url(environment.vercel.api, (*path, "vercel", "api"), token=True)
    if environment.supabase:
        _supabase(environment.supabase, (*path, "supabase"))
    for position, vendor in enumerate(environment.vendors):
        check_url(vendor.url, (*path, "vendors", position, "url"), token=False)
    _unique([vendor.name for vendor in environment.vendors], (*path, "vendors"))
    for position, target in enumerate(environment.egress.targets if environment.egress else ()):
        check_url(target, (*path, "egress", "targets", position), token=False)


def _supabase(supabase: Supabase, path: KeyPath) -> None:
    if not re.fullmatch(_REF, supabase.ref):
        raise Misfit(
            (*path, "ref"),
            "a Supabase project ref is twenty small letters",
            "copy it from the project's address: https://REF.supabase.co",
        )
    check_url(supabase.api, (*path, "api"), token=True)
    if supabase.gateway:
        check_url(supabase.gateway, (*path, "gateway"), token=True)
    check_dsn(supabase.pooler, (*path, "pooler"))


def _numbers(table: object, path: KeyPath) -> None:
    """Shares and fractions lie in (0, 1], everything else is above 0. The unit is in the name."""
    for field in dataclasses.fields(table):  # type: ignore[arg-type]  # only dataclasses are handed over
        value = getattr(table, field.name)
        if value <= 0:
            raise Misfit((*path, field.name), "this must be above 0", "write a greater number")
        if field.name.endswith(("_share", "_fraction")) and value > 1:
            raise Misfit((*path, field.name), "this is a share of one", "write 0.8 for 80 %")


def _intervals(environment: Environment, path: KeyPath) -> None:
    for field in dataclasses.fields(environment.intervals):
        value = getattr(environment.intervals, field.name)
        if not SHORTEST_INTERVAL_S <= value <= LONGEST_INTERVAL_S:
            raise Misfit(
                (*path, "intervals", field.name),
                "this interval is too short or too long",
                f"write seconds between {SHORTEST_INTERVAL_S:g} and {LONGEST_INTERVAL_S:g}",
            )
    if environment.memory_limit_bytes is not None and environment.memory_limit_bytes <= 0:
        raise Misfit((*path, "memory_limit_bytes"), "this must be above 0", "write the limit in bytes")


def _rules(rules: tuple[Rule, ...], path: KeyPath) -> None:
    for position, rule in enumerate(rules):
        here = (*path, position)
        if (rule.above is None) == (rule.below is None):
            raise Misfit(here, "a rule needs one limit", "write either above = … or below = …")
        _series(rule.series, (*here, "series"))
        if rule.for_s < 0 or rule.window_s <= 0 or rule.minimum_samples < 1:
            raise Misfit(
                here, "its times or its number of samples cannot be", "write for_s ≥ 0, window_s > 0, samples ≥ 1"
            )
    _unique([rule.name for rule in rules], path)


def _prometheus(prometheus: Prometheus | None, path: KeyPath) -> None:
    if prometheus is None:
        return
    check_url(prometheus.url, (*path, "url"), token=bool(prometheus.token or prometheus.password))
    if "?" in prometheus.url or "#" in prometheus.url or prometheus.url.rstrip("/").endswith("/api/v1"):
        raise Misfit((*path, "url"), "this goes further than its base", "leave away /api/v1 and what follows it")
    if prometheus.token and (prometheus.user or prometheus.password):
        raise Misfit((*path, "token"), "a token and a password exclude each other", "remove one of the two")
    if bool(prometheus.user) != bool(prometheus.password):
        missing = "password" if prometheus.user else "user"
        raise Misfit((*path, missing), "user and password belong together", f"add {missing} = …")
    if prometheus.user and ":" in prometheus.user:
        raise Misfit((*path, "user"), "a user's name holds no colon", "write the name alone")


def figures(
    entries: Sequence[object], environment: Environment, path: KeyPath
) -> tuple[tuple[CustomMetric, ...], tuple[Misfit, ...]]:
    """The figures of one's own that can work, and every mistake of the others, which are left out.

    A mistake in one must cost neither the other figures nor the alerting: nothing of the application depends on it.
    """
    kept: dict[str, CustomMetric] = {}
    misfits: list[Misfit] = []
    for position, entry in enumerate(entries):
        found = list(_figure(entry, environment, kept, (*path, position)))
        misfits += [each for each in found if isinstance(each, Misfit)]
        if len(found) == 1 and isinstance(found[0], CustomMetric):
            kept[found[0].name] = found[0]
    return tuple(kept.values()), tuple(misfits)


def _figure(
    entry: object, environment: Environment, known: Collection[str], path: KeyPath
) -> Iterator[CustomMetric | Misfit]:
    """A figure and what is wrong with it; what fits no figure at all has one mistake only."""
    try:
        metric = convert(entry, CustomMetric, path)
    except Misfit as misfit:
        yield misfit
        return
    yield metric
    if not re.fullmatch(_METRIC_NAME, metric.name):
        fix = "write small letters, digits, - and _, at most 40, a letter first; title says it for people"
        yield Misfit((*path, "name"), "this is no name for a figure", fix)
    if metric.name in known:
        yield _twice(metric.name, (*path, "name"))
    if not SHORTEST_CUSTOM_S <= metric.interval_s <= LONGEST_INTERVAL_S:
        fix = f"write seconds between {SHORTEST_CUSTOM_S:g} and {LONGEST_INTERVAL_S:g}"
        yield Misfit((*path, "interval_s"), "this interval is too short or too long", fix)
    goals = [name for name in ("target", "at_most", "at_least") if getattr(metric, name) is not None]
    if len(goals) > 1:
        fix = "write at_least for what is to be reached, or at_most (as target is) for what is not to be exceeded"
        yield Misfit((*path, goals[1]), "a figure has one target", fix)
    try:
        _origin(environment, metric, path)
    except Misfit as misfit:
        yield misfit


def _origin(environment: Environment, metric: CustomMetric, path: KeyPath) -> None:
    """Where a figure of one's own comes from: one place, and one that is configured."""
    given = [name for name in ("sql", "query", "series") if getattr(metric, name) is not None]
    if len(given) != 1:
        problem = "a figure comes from one place" if given else "it is not said where the figure comes from"
        raise Misfit((*path, given[1]) if given else path, problem, "write exactly one of sql, query and series")
    if metric.query is not None and environment.prometheus is None:
        fix = f'add [environments.{environment.name}.prometheus] with url = "…"'
        raise Misfit((*path, "query"), "there is no Prometheus to ask", fix)
    if metric.sql is not None and environment.database is None:
        raise Misfit((*path, "sql"), "there is no database to ask", 'add database = "${DATABASE_URL}"')
    if metric.sql is not None:
        from console.model.statements import mistake  # only where one is configured

        if found := mistake(metric.sql):
            raise Misfit((*path, "sql"), *found)
    if metric.series is not None:
        _series(metric.series, (*path, "series"))


def _series(value: str, path: KeyPath) -> None:
    if value.count("|") != 1 or not all(value.split("|")):
        raise Misfit(path, "this names no series", 'write "TARGET|METRIC", such as "health|latency_ms"')


def _expose(value: str | None, path: KeyPath) -> None:
    try:
        loopback_address(value or "127.0.0.1:1")
    except NotLoopback as error:
        raise Misfit(path, error.problem, error.fix) from None


def _contacts(environment: Environment, path: KeyPath) -> None:
    for kind in environment.contacts:
        if kind not in INCIDENTS:
            raise Misfit(
                (*path, "contacts", kind), "this is no kind of incident", f"write one of: {', '.join(INCIDENTS)}"
            )


def _unique(names: Iterable[str], path: KeyPath) -> None:
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name in seen:
            raise _twice(name, (*path, position))
        seen.add(name)


def _twice(name: str, path: KeyPath) -> Misfit:
    return Misfit(path, f"{name!r} is there twice", "remove one, or give it another name")
