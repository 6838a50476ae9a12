"""A situation built up poll by poll, on a clock that only moves when told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.model.causes import Dated
from console.model.components import judge_components, other_vendors
from console.model.configuration import Environment, Secret, Supabase, Vendor, Vercel
from console.model.finding import Assessment, Finding
from console.model.judgement import ComponentJudgement
from console.model.moment import Moment
from console.model.observation import ErrorKind, Event, Observation, Origin, Outcome, Sample
from console.model.situation import Situation
from console.model.states import State
from console.model.track import CONFIRMATIONS, Track
from console.model.verdict import conclude
from console.model.views import Verdict
from console.model.windows import Windows

START = Moment(1_000_000, 1_795_000_000_000)
EVERYTHING = (
    "health", "ping", "route:/", "route:/pricing", "metrics", "postgres.activity", "postgres.canary",
    "postgres.catalogue", "vercel", "supabase.gateway", "supabase.auth", "supabase.pooler", "supabase.project",
    "vendor:Vercel", "vendor:Supabase", "certificate:app.example.com:443", "egress", "host",
)  # fmt: skip
FACTS: dict[str, dict[str, Any]] = {
    "health": {"checks": {"database": {"status": "pass"}}, "claimed": "healthy", "http_status": 200},
    "postgres.activity": {"max_connections": 60, "reserved": 3, "pg_monitor": True},
    "vercel": {"production": {"short": "8f3c1d2"}, "paused": False, "auto_assign": True, "attack_mode": False},
    "supabase.project": {"status": "ACTIVE_HEALTHY", "ref": "abcdref"},
    "vendor:Vercel": {"indicator": "none", "incidents": []},
    "vendor:Supabase": {"indicator": "none", "incidents": []},
    "egress": {"targets": {"a": "ok", "b": "ok"}, "dns": "ok"},
    "certificate:app.example.com:443": {"verified": True},
}
SAMPLES: dict[str, dict[str, Sample]] = {
    "postgres.activity": {"connections": 12.0},
    "postgres.canary": {"latency_ms": 3.0, "ok": 1.0},
    "certificate:app.example.com:443": {"days_left": 61.0, "lifetime_days": 90.0},
    "host": {"cpu_share": 0.1, "disk_share": 0.4},
}
PROBED = ("health", "ping", "route:", "supabase.gateway", "supabase.auth", "supabase.pooler")
VENDORS = (Vendor(name="Vercel", url="https://v.example.com"), Vendor(name="Supabase", url="https://s.example.com"))


def environment(**changes: Any) -> Environment:
    """An environment in which everything is configured."""
    base = Environment(
        name="production",
        url="https://app.example.com",
        vercel=Vercel(token=Secret("t"), project="p"),
        supabase=Supabase(ref="abcdref"),
        vendors=VENDORS,
    )
    return replace(base, **changes)


class Scene:
    """Targets, what was seen of them, and the clock."""

    def __init__(self, *targets: str, confirmations: int = CONFIRMATIONS, **changes: Any) -> None:
        self.environment = environment(**changes)
        self.now = START
        self.tracks = {target: Track(target, 5.0, confirmations) for target in targets or EVERYTHING}
        self.windows = Windows(1800)
        self.events: list[Event] = []
        self.standing: frozenset[str] = frozenset()
        self.more: dict[str, Any] = {}
        self.onsets: dict[str, int] = {}

    def later(self, seconds: float) -> Scene:
        """Let time pass."""
        ms = int(seconds * 1000)
        self.now = Moment(self.now.steady_ms + ms, self.now.wall_ms + ms)
        return self

    def see(self, target: str, state: State = State.HEALTHY, words: str = "answers", **more: Any) -> Scene:
        """One answered poll; `facts`, `samples`, `volatile` come on top of what a healthy target shows."""
        facts = FACTS.get(target, {}) | more.pop("facts", {})
        usual: dict[str, Sample] = {"latency_ms": 20.0} if target.startswith(PROBED) else {}
        ok: dict[str, Sample] = {"ok": float(state is not State.UNHEALTHY)} if target.startswith(PROBED) else {}
        samples = usual | ok | SAMPLES.get(target, {}) | more.pop("samples", {})
        return self._note(target, Outcome.ANSWERED, state, words, facts=facts, samples=samples, **more)

    def fail(
        self, target: str, kind: ErrorKind = ErrorKind.CONNECT, words: str = "connection refused", witness: bool = True
    ) -> Scene:
        """One poll that did not reach the target; with `witness`, the bastion proves to be online after it."""
        own = target.startswith(("vercel", "vendor:", "supabase.project", "metrics", "certificate:"))
        state = State.UNKNOWN if own else State.UNHEALTHY
        samples: dict[str, Sample] = {"ok": 0.0} if target.startswith(PROBED) else {}
        facts = {"targets": {"a": "x", "b": "x"}, "dns": "x"} if target == "egress" else {}
        self._note(target, Outcome.FAILED, state, words, error_kind=kind, samples=samples, facts=facts)
        return self.see("egress") if witness and target != "egress" and "egress" in self.tracks else self

    def other(self, target: str, outcome: Outcome, kind: ErrorKind, words: str = "something else") -> Scene:
        """One poll that says nothing of its target."""
        return self._note(target, outcome, State.UNKNOWN, words, error_kind=kind)

    def _note(self, target: str, outcome: Outcome, state: State, words: str, **more: Any) -> Scene:
        observation = Observation(target=target, outcome=outcome, state=state, words=words, origin=Origin.PROBE, **more)
        self.tracks[target].note(observation, self.now)
        for metric, sample in observation.samples.items():
            self.windows.add(f"{target}|{metric}", self.now, sample)
        return self

    def all_well(self, rounds: int = 2, *, but: tuple[str, ...] = ()) -> Scene:
        """Rounds of five seconds in which every target but those is healthy."""
        for _ in range(rounds):
            for target in self.tracks:
                if target not in but:
                    self.see(target)
            self.later(5)
        return self

    def situation(self) -> Situation:
        """The situation now."""
        return Situation(
            now=self.now,
            environment=self.environment,
            tracks=self.tracks,
            windows=self.windows,
            events=tuple(self.events),
            standing=self.standing,
            **self.more,
        )

    def assess(self) -> dict[str, Assessment]:
        """Every component by key."""
        found = judge_components(self.situation())
        self.standing = frozenset(finding.key for each in found for finding in each.findings)
        return {each.judgement.key: each for each in found}

    def component(self, key: str) -> ComponentJudgement:
        """One component judged."""
        return self.assess()[key].judgement

    def findings(self, key: str) -> dict[str, Finding]:
        """The findings of one component by their key."""
        return {finding.key: finding for finding in self.assess()[key].findings}

    def verdict(self) -> Verdict:
        """The verdict now; reasons keep the moment since when they stand."""
        assessments = tuple(self.assess().values())
        found = [finding for each in assessments for finding in each.findings]
        found += other_vendors(self.situation(), assessments)
        firsts = {each.key: each.since.wall_ms if each.since else self.now.wall_ms for each in found}
        self.onsets = {key: self.onsets.get(key, first) for key, first in firsts.items()}
        return conclude(self.situation(), assessments, [Dated(each, self.onsets[each.key]) for each in found])
