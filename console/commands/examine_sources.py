"""`radar doctor`: every system and credential tried once, as the collector would; what fails, with the fix."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from console.commands.finding import Finding, Result
from console.model.component_users import is_told
from console.model.configuration import Environment, Settings
from console.model.observation import ErrorKind, Observation, Outcome
from console.model.states import State

# Where a credential comes from, by the target that needs it.
_CREDENTIALS = {
    "vercel": "make a token at https://vercel.com/account/tokens with access to the team, and set it as vercel.token",
    "supabase.project": "make a token at https://supabase.com/dashboard/account/tokens, and set it as supabase.token",
    "supabase.gateway": "copy the publishable (anon) key of the project's API settings into supabase.anon_key",
    "supabase.auth": "copy the publishable (anon) key of the project's API settings into supabase.anon_key",
    "supabase.pooler": "compare user and password with the project's Connect page, and set them in supabase.pooler",
    "github": "make a token for the repository's Actions at https://github.com/settings/tokens, set it as github.token",
    "postgres": "compare user and password with the server's, and set them in database (best as ${DATABASE_URL})",
}
_KINDS = {
    ErrorKind.DNS: "check the host name, and this host's DNS: getent hosts NAME",
    ErrorKind.CONNECT: "check host and port, and whether a firewall lets this host through",
    ErrorKind.TIMEOUT: "check whether a firewall drops packets from this host, and whether the system hangs",
    ErrorKind.TLS: "check the certificate and this host's clock; a company's own authority goes into certificate_ca",
    ErrorKind.REDIRECT: "set url to the address that answers without a redirect",
    ErrorKind.CHALLENGED: "allow this host's address in the firewall's rules, or use a bypass for automation",
    ErrorKind.CACHED: "exclude the route from the edge's cache: Cache-Control: no-store",
    ErrorKind.RATE_LIMITED: "lengthen the interval of this source in [environments.NAME.intervals]",
    ErrorKind.LIMIT: "the server has no connection left: end idle sessions, or raise max_connections",
    ErrorKind.EGRESS: "this host is offline: check its network before anything else",
}
_PLAIN = "see what it answers: open the console, Enter on its component"

# What is missed without a part, and what switches it on, by the field of the environment that is empty.
_PARTS = {
    "metrics": ("what users feel (p95, errors, memory) stays unknown", 'add metrics = "/api/metrics"'),
    "database": ("connections, locks and queries stay unknown", 'add database = "${DATABASE_URL}"'),
    "vercel": (
        "what is deployed, and so the likely cause, stays unknown",
        'add [environments.NAME.vercel] with token = "${VERCEL_TOKEN}" and project = "prj_…"',
    ),
    "supabase": (
        "gateway, auth and pooler are not told apart",
        'add [environments.NAME.supabase] with ref = "…" and token = "${SUPABASE_ACCESS_TOKEN}"',
    ),
    "vendors": (
        "whether a vendor is at fault stays unknown",
        'add [[environments.NAME.vendors]] with name = "Vercel" and url = "https://www.vercel-status.com"',
    ),
    "egress": ("a failure of this host looks like the application's", "remove egress = false"),
    "custom": (
        "the pages Business and Custom of the metrics show no figure of your own",
        'add [[environments.NAME.custom]] with name = "signups", page = "business" and sql, query or series',
    ),
    "contacts": ("nobody to call is named", 'add [[environments.NAME.contacts.any]] with name = "…" and phone = "…"'),
}


def not_configured(settings: Settings) -> Iterator[Finding]:
    """What could be watched and is not, what that costs, and the line to add. What was left out is configured."""
    left_out = {warning.about for warning in settings.warnings}
    for field, (words, fix) in _PARTS.items():
        if not _is_configured(settings.environment, field) and field not in left_out:
            yield Finding("not configured", field, Result.OFF, words, fix.replace("NAME", settings.environment.name))


def _is_configured(environment: Environment, field: str) -> bool:
    """What users feel may also come from Prometheus."""
    if field == "metrics":
        return is_told(environment)
    return bool(getattr(environment, field))


def findings(settings: Settings) -> list[Finding]:
    """One round of every source."""
    from console.collector import event_loop
    from console.collector.once import one_round  # httpx and psycopg: only where something is asked

    observations, judgement = event_loop.run(one_round(settings))
    order = [target for component in judgement.components for target in component.targets]
    observations.sort(key=lambda each: order.index(each.target) if each.target in order else len(order))
    found = [finding for observation in observations for finding in judged(observation)]
    found += _series(settings.environment, {observation.target for observation in observations})
    if judgement.identity_mismatch:
        fix = "compare url, vercel.project and supabase.ref in the configuration: they belong to different systems"
        found.append(Finding("systems", "identity", Result.FAILED, judgement.identity_mismatch, fix))
    return found


def _series(environment: Environment, targets: Collection[str]) -> Iterator[Finding]:
    """Figures that read a series of a target that nobody asks. The collector's own two are none."""
    for metric in environment.custom:
        target = (metric.series or "").partition("|")[0]
        if metric.series and target not in targets and target not in ("application", "collector", "database"):
            words = f"{metric.name} reads {metric.series}, and no target is called {target}"
            fix = "write a series as the component's page shows them, such as health|latency_ms"
            yield Finding("configuration", "custom", Result.WARNING, words, fix)


def judged(observation: Observation) -> Iterator[Finding]:
    """What a poll tells of the way to its target. That the target is unhealthy is no fault of the configuration."""
    if observation.target.startswith(_OWN) and observation.state is not State.HEALTHY:
        yield _own(observation)
    elif observation.outcome is Outcome.ANSWERED:
        words, state = _answer(observation), observation.state
        yield Finding("systems", observation.target, Result.WELL, words, system=state)
        yield from _rights(observation)
    else:
        yield Finding(
            "systems", observation.target, _RESULTS[observation.outcome], observation.words, _fix(observation)
        )


_OWN = ("sql:", "prometheus:")


def _own(observation: Observation) -> Finding:
    """A figure of people's own: its words name the fix, which is in the settings or in what was asked."""
    name = observation.target.partition(":")[2]
    refused = observation.outcome is Outcome.FORBIDDEN
    fix = f'mend what name = "{name}" asks in [[environments.….custom]], or the rights of who asks'
    return Finding("systems", observation.target, Result.FAILED if refused else Result.WARNING, observation.words, fix)


def _answer(observation: Observation) -> str:
    words = observation.words
    if observation.state is State.UNHEALTHY:
        return f"the setting is right, the system is unhealthy: {words}"
    if observation.state is State.DEGRADED:
        return f"answers, and is degraded: {words}"
    return words if words.startswith("answers") else f"answers: {words}"


_RESULTS: Mapping[Outcome, Result] = {
    Outcome.FAILED: Result.FAILED,
    Outcome.FORBIDDEN: Result.FAILED,
    Outcome.BLOCKED: Result.WARNING,
    Outcome.HELD: Result.UNKNOWN,
}


def _fix(observation: Observation) -> str:
    if observation.outcome is Outcome.FORBIDDEN or observation.error_kind is ErrorKind.CREDENTIALS:
        target = observation.target
        return _CREDENTIALS.get(target) or _CREDENTIALS.get(target.partition(".")[0]) or _PLAIN
    return _KINDS.get(observation.error_kind, _PLAIN) if observation.error_kind else _PLAIN


def _rights(observation: Observation) -> Iterator[Finding]:
    """What the database role may see, and whether a pooler stands in between."""
    if observation.target != "postgres.activity":
        return
    if observation.facts.get("pg_monitor") is False:
        words = "the role is no member of pg_monitor: other users' sessions and queries are unknown, not absent"
        yield Finding(
            "systems", "database role", Result.WARNING, words, "run as an administrator: GRANT pg_monitor TO role"
        )
    if observation.facts.get("pooler") is True:
        words = "the connection goes through a transaction pooler"
        fix = "for the console use the direct address (port 5432), so that it works while the pooler does not"
        yield Finding("systems", "database address", Result.WARNING, words, fix)
