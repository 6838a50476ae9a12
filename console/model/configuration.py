"""The typed settings, as `console.settings` reads them from radar.toml: plain values, every default stands here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from console.model.operations import Operations

from console.model.value import value

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""


class Withheld(str):
    """In place of a secret that another account holds: it fits anywhere and can be sent nowhere."""

    __slots__ = ()

    def __new__(cls) -> Withheld:
        return super().__new__(cls, "(withheld)")


class SecretWithheld(Exception):
    """A secret is wanted that the service account holds, not this one."""


class Secret:
    """A string that hides itself in repr, str, format and tracebacks. `reveal()` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself: for the wire only, never for a log, message or argument list. Raises `SecretWithheld`."""
        if isinstance(self._value, Withheld):
            raise SecretWithheld("this credential is the service account's")
        return self._value

    @property
    def withheld(self) -> bool:
        """Whether another account holds it."""
        return isinstance(self._value, Withheld)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("(hidden)", spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@value
class Thresholds:
    """Targets (B1) and alert limits (D4) of SYSTEM.md."""

    p95_ms: float = 200.0
    error_share: float = 0.01
    uptime_share: float = 0.999
    memory_share: float = 0.80
    query_ms: float = 100.0
    alert_error_share: float = 0.05
    alert_response_ms: float = 2000.0
    connections_warn_share: float = 0.80
    connections_alert_share: float = 0.90
    blocked_warn_s: float = 10.0
    blocked_alert_s: float = 60.0
    idle_in_transaction_s: float = 60.0
    certificate_warn_fraction: float = 1 / 3
    certificate_alert_fraction: float = 1 / 7
    certificate_alert_days: float = 7.0


@value
class Intervals:
    """Seconds between polls of each kind of target."""

    application_s: float = 5.0
    database_s: float = 5.0
    catalogue_s: float = 60.0
    vercel_s: float = 20.0
    supabase_s: float = 20.0
    vendors_s: float = 60.0
    certificate_s: float = 3600.0
    egress_s: float = 10.0
    host_s: float = 5.0
    metrics_s: float = 15.0


@value
class Vercel:
    """Read access to the project at Vercel."""

    token: Secret
    project: str
    team: str | None = None
    api: str = "https://api.vercel.com"


@value
class Supabase:
    """The parts of a Supabase project, each probed apart. What is None is not configured."""

    ref: str
    token: Secret | None = None
    anon_key: Secret | None = None
    api: str = "https://api.supabase.com"
    gateway: str | None = None
    """Default `https://REF.supabase.co`."""
    pooler: Secret | None = None
    """DSN of the pooler (Supavisor, PgBouncer)."""


@value
class Vendor:
    """A vendor's public status page (Statuspage format)."""

    name: str
    url: str
    components: tuple[str, ...] = ()
    """Names of the components that concern us; empty: all."""


@value
class MetricNames:
    """What the application's Prometheus series are called. The defaults are those of the documented instrumentation."""

    requests: str = "http_requests_total"
    status_labels: tuple[str, ...] = ("status", "status_code", "code")
    """Labels that hold the HTTP status; 5xx and `5xx` are errors."""
    duration: str = "http_request_duration_seconds"
    """A histogram in seconds."""
    memory: tuple[str, ...] = ("process_resident_memory_bytes", "nodejs_heap_size_used_bytes")
    """The first one offered counts."""
    memory_limit: str = "process_memory_limit_bytes"
    cache_hits: str = "cache_hits_total"
    cache_misses: str = "cache_misses_total"
    business_prefix: str = "business_"
    """Series of this prefix become `business.REST`: counters by their growth, others by their value."""
    business: Mapping[str, str] = field(default_factory=dict)
    """More of them, by name: `{audits = "audits_completed_total"}` becomes `business.audits`."""


@value
class Egress:
    """Two outside targets and a name that tell whether the bastion itself is online."""

    targets: tuple[str, ...] = ("https://www.gstatic.com/generate_204", "https://cloudflare.com/cdn-cgi/trace")
    name: str = "cloudflare.com"


@value
class Rule:
    """A custom alert rule: a series or SQL-free condition over stored samples."""

    name: str
    series: str
    above: float | None = None
    below: float | None = None
    for_s: float = 60.0
    window_s: float = 300.0
    statistic: Literal["mean", "p95", "max", "min", "last"] = "mean"
    minimum_samples: int = 3
    severity: Severity = "medium"
    contact: str | None = None


@value
class PrometheusUsers:
    """Expressions (PromQL, MetricsQL) for what users meet, of all instances together. Each gives one series, `duration`
    one for each bucket."""

    requests: str
    """Requests a second."""
    errors: str
    """Those of them that failed, a second."""
    duration: str
    """The buckets of a histogram in seconds by `le`, cumulative as they are offered, a second."""
    memory: str | None = None
    """Bytes that the fullest instance uses."""
    memory_limit: str | None = None
    """Bytes that it may use; `memory_limit_bytes` of the environment goes before it."""


@value
class Prometheus:
    """A Prometheus or VictoriaMetrics that is asked for the configured expressions."""

    url: str
    """With the path prefix where there is one, without `/api/v1`."""
    token: Secret | None = None
    user: str | None = None
    password: Secret | None = None
    users: PrometheusUsers | None = None
    """Where set, what users meet is judged from it, and the application's own metrics are not read."""


@value
class CustomMetric:
    """A figure of your own on the pages Business or Custom: exactly one of `sql`, `query` and `series`."""

    name: str
    title: str | None = None
    page: Literal["business", "custom"] = "custom"
    sql: str | None = None
    """A statement that gives one row with one number, run read-only with a time-out."""
    query: str | None = None
    """An expression for `prometheus` (PromQL, MetricsQL) that gives one series."""
    series: str | None = None
    """A series of the store, `TARGET|METRIC`."""
    statistic: Literal["mean", "min", "max", "p50", "p95", "p99", "rate"] = "mean"
    unit: str = ""
    target: float | None = None
    """The same as `at_most`: at most one of the three."""
    at_most: float | None = None
    at_least: float | None = None
    """What is to be reached: below it is beyond the target."""
    interval_s: float = 60.0


@value
class Contact:
    """Whom to call, or where to look, for a kind of incident (SU1)."""

    name: str
    phone: str | None = None
    email: str | None = None
    link: str | None = None


@value
class Environment:
    """One environment of the application. Only `url` is required; the rest shows as not configured."""

    name: str
    url: str
    label: str | None = None
    """A word shown everywhere beside the name; the demo sets `demo`."""
    health: str = "/api/v1/system/health"
    ping: str = "/api/v1/system/ping"
    routes: tuple[str, ...] = ("/", "/api/v1/system/ping")
    metrics: str | None = None
    metrics_token: Secret | None = None
    """Sent with the request for the metrics as `Authorization: Bearer`, and nowhere else."""
    metric_names: MetricNames = field(default_factory=MetricNames)
    database: Secret | None = None
    database_ca: str | None = None
    migrations: str | None = None
    memory_limit_bytes: int | None = None
    certificates: tuple[str, ...] = ()
    """Extra `host:port` whose certificates are watched; the url's own is always."""
    expose: str | None = None
    """`127.0.0.1:PORT` where `radar collect` tells Prometheus what it sees; None: nowhere."""
    certificate_ca: str | None = None
    """PEM file of an authority trusted beside the system's for certificates (a company's own, the demo's)."""
    vercel: Vercel | None = None
    supabase: Supabase | None = None
    vendors: tuple[Vendor, ...] = ()
    egress: Egress | None = field(default_factory=Egress)
    thresholds: Thresholds = field(default_factory=Thresholds)
    intervals: Intervals = field(default_factory=Intervals)
    rules: tuple[Rule, ...] = ()
    prometheus: Prometheus | None = None
    custom: tuple[CustomMetric, ...] = ()
    contacts: Mapping[str, tuple[Contact, ...]] = field(default_factory=dict)
    """Kind of incident (application, database, deployment, vendor, security, bastion, any) to contacts and links."""
    links: Mapping[str, str] = field(default_factory=dict)


@value
class Display:
    """How the console looks; nothing that changes what is true."""

    theme: Literal["auto", "dark", "light", "ansi", "colour-blind"] = "auto"
    """`auto`: dark; ansi where the terminal has but eight or sixteen colours."""
    glyphs: Literal["unicode", "ascii"] = "unicode"
    bell: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    """Binding id to key, such as `{"screen.health" = "f1"}`."""


def _no_operations() -> Operations:
    from console.model.operations import Operations

    return Operations()


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is usable but unwise, or was left out: a file with secrets that everybody can read, a wrong figure."""

    about: str
    words: str
    fix: str

    def __str__(self) -> str:
        return f"{self.words}; {self.fix}"


@value
class Settings:
    """Everything read from one radar.toml for one chosen environment."""

    file: Path
    environment: Environment
    environments: tuple[str, ...]
    state_directory: Path
    """Where observed.db and records.db of this environment are."""
    display: Display = field(default_factory=Display)
    demo_directory: Path | None = None
    """Set when this file was written by `radar demo`: enables `:fault`."""
    warnings: tuple[Doubt, ...] = ()
    """For people, with the fix."""
    held_by: str | None = None
    """The account that holds the secrets, where authority is enforced and this process is not that account's."""
    operations: Callable[[], Operations] = field(default=_no_operations, repr=False, compare=False)
    """How one acts on the environment and who is told: read when it is asked for. Raises `SettingsError`."""

    @property
    def observed_path(self) -> Path:
        """The collector's file."""
        return self.state_directory / "observed.db"

    @property
    def records_path(self) -> Path:
        """The people's file."""
        return self.state_directory / "records.db"
