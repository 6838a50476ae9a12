"""The authored world of the demo: who committed, deployed and migrated what in the last 30 days. Deterministic by seed.

Everything is invented. The stand-ins list these deployments, the database holds these migrations, and the history in
observed.db tells of the same ones, so that the parts agree with each other.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
DAYS = 30
SEED = 4711

PROJECT = "prj_DemoTableTalkRadar00000001"
TEAM = "team_DemoTableTalk0000000001"
PROJECT_NAME = "tabletalk-radar"
EDGE_CONFIG = "ecfg_demotabletalk0001"
REF = "radardemoprojectrefx"
ORGANISATION, REPOSITORY = "tabletalk-demo", "radar"
BUILD_MS = 95_000

PEOPLE = (("Mira Okafor", "mira"), ("Jonas Weber", "jonas"), ("Aiko Tanabe", "aiko"), ("Luis Prado", "luis"))
BAD_COMMIT = ("8f3c1d2", "feat: pricing v2 (#431)", PEOPLE[0])

_SUBJECTS = (
    "feat: weekly digest for clients", "fix: audit list paging", "feat: review sentiment filter",
    "chore: bump next to 15.4", "fix: session cookie renewal", "feat: export audits as CSV",
    "perf: index reviews by client", "fix: menu parser on empty rows", "feat: client onboarding checklist",
    "refactor: audit scoring", "fix: time zone of scheduled audits", "feat: competitor map",
    "fix: rate limit per client", "chore: rotate CSRF secret", "feat: review reply drafts",
    "fix: health check leaves connection open", "feat: dashboard tiles", "fix: duplicate review import",
    "feat: plan limits", "perf: cache client summaries", "fix: login 500s after token refresh",
    "feat: audit comments", "chore: drop old webhooks", "fix: CSP for map tiles", "feat: saved filters",
    "fix: pagination of clients", "feat: alert e-mails", "fix: audit retry",
)  # fmt: skip

_MIGRATIONS = (
    "init", "clients", "reviews", "audits", "audit_scores", "review_sources", "client_plans", "review_sentiment",
    "saved_filters", "audit_comments", "reviews_client_index",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment at Vercel and the behaviour of its code."""

    id: str
    sha: str
    message: str
    author: str
    login: str
    created_ms: int
    version: str
    target: str | None = "production"
    live_ms: int | None = None
    """When it began to serve production; None: never."""
    faulty: bool = False
    """Its code answers a share of the requests with errors."""

    @property
    def short(self) -> str:
        """The first seven characters of its commit."""
        return self.sha[:7]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One migration as the tracking tables have it."""

    number: int
    version: str
    name: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """All of it, ending at `now_ms`."""

    seed: int
    now_ms: int
    deployments: tuple[Deployment, ...]
    """Oldest first; the last one that went live serves production."""
    migrations: tuple[Migration, ...]
    gap: tuple[int, int]
    """From when to when nobody observed (the bastion was rebuilt)."""

    @property
    def began_ms(self) -> int:
        """The first whole hour of the history."""
        return (self.now_ms - DAYS * DAY_MS) // HOUR_MS * HOUR_MS

    def serving_at(self, at_ms: int) -> Deployment:
        """The deployment that served production at a moment."""
        live = [one for one in self.deployments if one.live_ms is not None and one.live_ms <= at_ms]
        return live[-1] if live else self.deployments[0]


def author(now_ms: int, seed: int = SEED) -> World:
    """The world whose present is `now_ms`."""
    chance = random.Random(seed)
    deployments = _deployments(chance, now_ms)
    return World(
        seed=seed,
        now_ms=now_ms,
        deployments=deployments,
        migrations=_migrations(chance, now_ms),
        gap=(now_ms - 9 * DAY_MS - 5 * HOUR_MS, now_ms - 9 * DAY_MS),
    )


def new_deployment(number: int, now_ms: int, *, message: str, sha: str = "", faulty: bool = False) -> Deployment:
    """A deployment made while the demo runs."""
    chance = random.Random(f"{number}/{now_ms}")
    name, login = PEOPLE[0] if faulty else PEOPLE[1]
    return Deployment(
        id=_deployment_id(chance), sha=sha + _hex(chance, 40 - len(sha)), message=message, author=name, login=login,
        created_ms=now_ms, version=f"1.{number}.0", faulty=faulty,
    )  # fmt: skip


def _deployments(chance: random.Random, now_ms: int) -> tuple[Deployment, ...]:
    """One or two a working day, each live two minutes after it was made; the last one seven hours ago."""
    moments: list[int] = []
    for day in range(DAYS, 0, -1):
        for _ in range(chance.choice((0, 1, 1, 2))):
            moments.append(now_ms - day * DAY_MS + chance.randrange(8 * HOUR_MS, 16 * HOUR_MS))
    moments = sorted(moment for moment in moments if moment < now_ms - 8 * HOUR_MS)
    return tuple(_past(chance, index, at) for index, at in enumerate([*moments, now_ms - 7 * HOUR_MS]))


def _past(chance: random.Random, index: int, at_ms: int) -> Deployment:
    name, login = chance.choice(PEOPLE)
    message = f"{_SUBJECTS[index % len(_SUBJECTS)]} (#{380 + index})"
    return Deployment(
        id=_deployment_id(chance), sha=_hex(chance, 40), message=message, author=name, login=login,
        created_ms=at_ms, live_ms=at_ms + BUILD_MS + 25_000, version=f"1.{index + 12}.0",
    )  # fmt: skip


def _migrations(chance: random.Random, now_ms: int) -> tuple[Migration, ...]:
    """Eleven, spread over the days before; the last two days ago."""
    first = now_ms - 120 * DAY_MS
    step = (118 * DAY_MS) // (len(_MIGRATIONS) - 1)
    moments = [first + index * step + chance.randrange(HOUR_MS) for index in range(len(_MIGRATIONS))]
    return tuple(
        Migration(number=index + 1, version=_version(at), name=name, at_ms=at)
        for index, (name, at) in enumerate(zip(_MIGRATIONS, moments, strict=True))
    )


def _deployment_id(chance: random.Random) -> str:
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
    return "dpl_" + "".join(chance.choices(alphabet, k=28))


def _hex(chance: random.Random, length: int) -> str:
    return "".join(chance.choices("0123456789abcdef", k=length))


def _version(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y%m%d%H%M%S")
