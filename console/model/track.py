"""What the last polls of one target add up to: one lost packet is no fault, two failures in a row are.

A target is UNHEALTHY from the second failure in a row and HEALTHY from the second good answer in a row, so that both a
fault and its end show within two rounds and neither on the strength of a single poll. A time-out is already seconds of
evidence (TCP repeats a lost packet after 0.2 s), so the first one shows as DEGRADED.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from console.model.moment import Moment
from console.model.observation import ErrorKind, Json, Observation, Outcome
from console.model.states import State, worst

REACH_FAULTS = frozenset({ErrorKind.DNS, ErrorKind.CONNECT, ErrorKind.TIMEOUT, ErrorKind.CLOSED})
"""Faults that may be the way's and not the target's: what an egress witness excuses."""

CONFIRMATIONS = 2


class Evidence(Enum):
    """What one poll says of its target."""

    GOOD = auto()
    WEAK = auto()
    BAD = auto()
    NOTHING = auto()


def weigh(observation: Observation) -> Evidence:
    """What one poll says of its target. Of a failure the source says whether it says anything."""
    if observation.outcome not in (Outcome.ANSWERED, Outcome.FAILED) or observation.error_kind is ErrorKind.INTERNAL:
        return Evidence.NOTHING
    return _BY_STATE.get(observation.state, Evidence.NOTHING)


_BY_STATE = {State.HEALTHY: Evidence.GOOD, State.DEGRADED: Evidence.WEAK, State.UNHEALTHY: Evidence.BAD}


def failed_checks(observation: Observation) -> tuple[str, ...]:
    """Names of the checks that a health answer says have failed."""
    checks = observation.facts.get("checks")
    found = checks.items() if isinstance(checks, dict) else ()
    return tuple(name for name, check in found if isinstance(check, dict) and check.get("status") == "fail")


def fault_kind(observation: Observation) -> str:
    """`timeout`, `connect`, `answered`, `answered database`: what tells one kind of trouble from another."""
    return " ".join((observation.error_kind or "answered", *sorted(failed_checks(observation))))


def is_turned_away(observation: Observation | None) -> bool:
    """Whether the answer was a 4xx: what was asked for is not there or not allowed, and the server works."""
    status = observation.facts.get("http_status") if observation else None
    return isinstance(status, int) and 400 <= status < 500


@dataclass(slots=True)
class Track:
    """The newest observations of one target and the state they add up to."""

    target: str
    interval_s: float
    confirmations: int = CONFIRMATIONS
    state: State = State.UNKNOWN
    newest: Observation | None = None
    """The newest poll that was made, whatever it gave."""
    tried: Moment | None = None
    held: Observation | None = None
    """Why the last one was not made."""
    answered: Observation | None = None
    answered_at: Moment | None = None
    bad: int = 0
    """Failures in a row."""
    trouble: int = 0
    """Polls in a row that were not good."""
    good: int = 0
    blank: int = 0
    """Polls in a row that said nothing."""
    trouble_since: Moment | None = None
    """The first poll of the trouble that now is, or was until `state` became healthy."""
    fault_since: Moment | None = None
    """The first poll of the trouble in its present kind: another kind has another cause."""
    fault: Observation | None = None
    """The newest poll that was not good, while the trouble lasts: what the state rests on, also while it ends."""
    last_failure: Observation | None = None
    """The newest bad poll, however long ago."""

    def note(self, observation: Observation, at: Moment) -> None:
        """Take in one poll."""
        self.held = observation if observation.outcome is Outcome.HELD else None
        if self.held:
            return
        self.newest, self.tried = observation, at
        if observation.outcome is Outcome.ANSWERED:
            self.answered, self.answered_at = observation, at
        self._settle(weigh(observation), observation, at)

    def resume(self, observation: Observation, at: Moment, since: Moment) -> None:
        """Go on from the newest observation of a collector before this one, which had confirmed it."""
        self.note(observation, at)
        if self.trouble:
            self.trouble = self.confirmations
            self.bad = self.confirmations if self.bad else 0
            self.trouble_since = self.fault_since = since
            self.state = State.UNHEALTHY if self.bad else State.DEGRADED

    def forget_failures(self) -> None:
        """The failures so far were the way's: what is, is not known until the next poll."""
        if self.fault:
            self.bad = self.trouble = self.good = 0
            self.trouble_since, self.fault_since, self.fault, self.state = None, None, None, State.UNKNOWN

    @property
    def telling(self) -> Observation | None:
        """The poll that the state rests on: while a trouble ends its last fault, else the newest."""
        return self.fault or self.newest

    @property
    def fails(self) -> bool:
        """Whether what the state rests on is that there was no answer."""
        return self.telling is not None and self.telling.outcome is not Outcome.ANSWERED

    @property
    def error(self) -> str | None:
        """Why the newest poll gave no value, in words."""
        return self.newest.words if self.newest and self.newest.outcome is not Outcome.ANSWERED else None

    @property
    def error_kind(self) -> ErrorKind | None:
        """The kind of the failure that the state rests on."""
        return self.telling.error_kind if self.telling else None

    @property
    def is_recovering(self) -> bool:
        """Whether the newest poll was good, and one more of them ends the trouble."""
        return self.fault is not None and self.good > 0

    @property
    def is_forgotten(self) -> bool:
        """Whether the newest poll failed and counts for nothing (see `forget_failures`)."""
        return self.newest is not None and self.fault is None and weigh(self.newest) in (Evidence.BAD, Evidence.WEAK)

    @property
    def fault_kind(self) -> str:
        """What kind of trouble it is, to be compared; empty when there is none."""
        return fault_kind(self.fault) if self.fault else ""

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Names of the checks that fail in what the state rests on."""
        return failed_checks(self.telling) if self.telling else ()

    def fact(self, name: str) -> Json:
        """A fact of the newest answer."""
        return self.answered.facts.get(name) if self.answered else None

    def _settle(self, evidence: Evidence, observation: Observation, at: Moment) -> None:
        if evidence is Evidence.GOOD:
            self._settle_good()
        elif evidence is Evidence.NOTHING:
            self._settle_unknown(observation)
        else:
            self._settle_trouble(evidence, observation, at)

    def _settle_good(self) -> None:
        self.good += 1
        self.bad = self.trouble = self.blank = 0
        if self.good >= self.confirmations or self.state in (State.UNKNOWN, State.HEALTHY):
            self.state, self.trouble_since, self.fault_since, self.fault = State.HEALTHY, None, None, None

    def _settle_unknown(self, observation: Observation) -> None:
        """A blocked or forbidden poll hides the target at once; a failed one that says nothing only when repeated."""
        self.bad = self.trouble = self.good = 0
        self.blank += 1
        self.fault = self.fault_since = None
        if observation.outcome is not Outcome.FAILED or self.blank >= self.confirmations:
            known = observation.state is State.NOT_CONFIGURED
            self.state, self.trouble_since = State.NOT_CONFIGURED if known else State.UNKNOWN, None

    def _settle_trouble(self, evidence: Evidence, observation: Observation, at: Moment) -> None:
        self.good = self.blank = 0
        self.trouble += 1
        self.bad = self.bad + 1 if evidence is Evidence.BAD else 0
        self.last_failure = observation if evidence is Evidence.BAD else self.last_failure
        self.trouble_since = self.trouble_since or at
        if self.fault_since is None or self.fault_kind != fault_kind(observation):
            self.fault_since = at
        self.fault = observation
        if self.bad >= self.confirmations:
            self.state = State.UNHEALTHY
        elif self.trouble >= self.confirmations:
            self.state = State.DEGRADED
        elif observation.error_kind is ErrorKind.TIMEOUT:
            self.state = worst((State.DEGRADED, State.HEALTHY if self.state is State.UNKNOWN else self.state))
