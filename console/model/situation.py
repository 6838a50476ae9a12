"""All that a judgement is made from, at one moment. Judging it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from console.model.configuration import Environment
from console.model.metric_views import BurnRate
from console.model.moment import Moment
from console.model.observation import ErrorKind, Event, Outcome
from console.model.states import State
from console.model.track import REACH_FAULTS, Track
from console.model.windows import Windows

EGRESS = "egress"
WITNESS_PATIENCE_S = 15.0
"""How long a failure to reach waits for the witness to be asked: its time-out and then some."""
HYSTERESIS = 0.1
IN_MAINTENANCE = "in_maintenance"
"""The fact of a poll that got the maintenance page, as the collector judges it."""
RECENT_S = 300.0
"""The window of figures and of the rules of D4."""


class Online(Enum):
    """What the egress witness says of this bastion."""

    NOT_CONFIGURED = auto()
    NOT_ASKED = auto()
    YES = auto()
    NO_NAMES = auto()
    """Outside targets answer, names are not resolved."""
    NO = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A maintenance that is under way."""

    since_ms: int
    by: str = ""
    """Who put the application into it; empty: it was not done here, only its page is seen."""
    until_ms: int | None = None
    """The planned end."""
    planned: bool = False
    """Whether this moment lies in a regular or announced window: only then uptime leaves it out."""

    @property
    def words(self) -> str:
        """`in maintenance by op1 (loginuid)`."""
        return f"in maintenance by {self.by}" if self.by else "in maintenance, which was not switched on here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The tracks of every configured target, the samples and events of the last minutes, and the clock."""

    now: Moment
    environment: Environment
    tracks: Mapping[str, Track]
    windows: Windows
    events: Sequence[Event] = ()
    exempt: frozenset[str] = frozenset()
    """Targets whose failures the witness does not excuse: on this host or in its own network."""
    late: Sequence[str] = ()
    """Targets that were not polled for longer than their own interval allows."""
    defect: str | None = None
    """The collector's own newest error, in words."""
    waiting_s: Mapping[str, float] = field(default_factory=dict)
    """Targets whose poll has been under way for longer than their interval, and for how long."""
    burn: Mapping[str, tuple[BurnRate, ...]] = field(default_factory=dict)
    """How fast the error budgets burn, by the key of their target; nothing while it is not known."""
    standing: frozenset[str] = frozenset()
    """Keys of the findings of the round before: a limit is left a little later than it was met."""
    maintenance: Maintenance | None = None
    """The one that is under way."""
    _read: dict[tuple[str, float], list[float]] = field(default_factory=dict, repr=False, compare=False)
    """Numbers read already: rules look at the same ones several times, which for 200 routes costs most of a round."""

    def track(self, target: str) -> Track | None:
        """The track of a target; None when it is not configured."""
        return self.tracks.get(target)

    def under(self, prefix: str) -> list[Track]:
        """The tracks of all targets whose key begins so, in order of configuration."""
        return [track for target, track in self.tracks.items() if target.startswith(prefix)]

    def numbers(self, target: str, metric: str, window_s: float = RECENT_S) -> list[float]:
        """Samples of a target's metric in the last seconds, oldest first."""
        key = f"{target}|{metric}", window_s
        if key not in self._read:
            self._read[key] = self.windows.numbers(*key, self.now)
        return self._read[key]

    def last(self, target: str, metric: str, window_s: float = RECENT_S) -> float | None:
        """The newest sample of a target's metric, unless it is older than the window."""
        return self.windows.last(f"{target}|{metric}", window_s, self.now)

    def limit(self, key: str, limit: float) -> float:
        """The limit at which a finding begins, or ends when it stands already: a tenth lower, lest it flicker."""
        return limit * (1 - HYSTERESIS) if key in self.standing else limit

    def excused(self, track: Track) -> bool:
        """Whether the target was not reached while this bastion is offline: then nothing is known of it."""
        if track.error_kind not in REACH_FAULTS or track.target in self.exempt or track.is_recovering:
            return False
        says = online(self)
        return says is Online.NO or (says is Online.NO_NAMES and track.error_kind is ErrorKind.DNS)

    @staticmethod
    def maintained(track: Track) -> bool:
        """Whether the newest poll got the maintenance page. An answer 500 is none, whatever the flag says."""
        return track.newest is not None and track.newest.facts.get(IN_MAINTENANCE) is True

    def awaits_witness(self, track: Track) -> bool:
        """Whether a failure to reach is so new that the witness has not been asked since."""
        if track.error_kind not in REACH_FAULTS or track.target in self.exempt or track.trouble_since is None:
            return False
        witness = self.tracks.get(EGRESS)
        if witness is None or (witness.tried and witness.tried >= track.trouble_since):
            return False
        return self.now.since_s(track.trouble_since) < WITNESS_PATIENCE_S

    def state(self, track: Track) -> State:
        """The state of a target in the light of the witness."""
        if self.excused(track) or (self.awaits_witness(track) and track.state is State.UNHEALTHY):
            return State.UNKNOWN
        return track.state


def online(situation: Situation) -> Online:
    """What the egress witness says."""
    return witness_says(situation.track(EGRESS))


def witness_says(track: Track | None) -> Online:
    """What the egress witness says: one outside target that answers is proof enough."""
    if track is None:
        return Online.NOT_CONFIGURED
    if track.newest is None or track.error_kind is ErrorKind.INTERNAL:
        return Online.NOT_ASKED
    if track.newest.outcome is not Outcome.ANSWERED:
        return Online.NO
    answers = track.newest.facts.get("targets")
    if not isinstance(answers, dict) or not answers:
        return Online.NO if track.newest.state is State.UNHEALTHY else Online.YES
    if "ok" not in answers.values():
        return Online.NO
    return Online.YES if track.newest.facts.get("dns", "ok") == "ok" else Online.NO_NAMES
