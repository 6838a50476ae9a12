"""What the rules of one component give: its judgement, and what is wrong in it as findings that a verdict can order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from console.model.judgement import ComponentJudgement
from console.model.moment import Moment
from console.model.observation import ErrorKind, Origin
from console.model.situation import Situation
from console.model.states import State, rank, worst
from console.model.track import Track, is_turned_away
from console.model.words import fitted, listed

FIGURE_WIDTH = 19
"""Characters of the FIGURE column at 80 columns."""
NOT_CONFIGURED = "not configured"
INCIDENTS = {
    "routes": "application",
    "users": "application",
    "certificate": "application",
    "supabase": "database",
    "vercel": "deployment",
}
"""Kind of incident, for contacts, where it is not the component's own key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not well. `key` is `COMPONENT.WHAT` or `COMPONENT.WHAT:SUBJECT` and stays while it lasts."""

    key: str
    component: str
    state: State
    text: str
    """Without component, time and origin: they stand beside it."""
    origin: Origin
    since: Moment | None = None
    """The poll that first showed it, where known."""
    evidence: str = ""
    """In few words what it rests on, such as `47 of 124`."""
    incident: str = "application"
    next_step: str | None = None
    vendor: str | None = None
    """The vendor that reports it."""
    fault: str = ""
    """The kind of trouble that it was read off (`track.fault_kind`), where it is one target's."""
    turned_away: bool = False
    """Whether it is answers of 4xx and nothing else: no database makes those."""

    @property
    def kind(self) -> str:
        """The key without its subject."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One component judged."""

    judgement: ComponentJudgement
    findings: tuple[Finding, ...] = ()
    structural: bool = False
    """Where it is unknown, it is so by its set-up (no metrics, no rights): no reason to call the whole unknown."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """A component while it is judged: rules add what they see."""

    key: str
    name: str
    origin: Origin
    tracks: Sequence[Track]
    figure: str = ""
    states: list[State] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sentences: list[tuple[State, str]] = field(default_factory=list)
    """What was said, and the state that each stands for."""
    unknown: dict[str, list[Track]] = field(default_factory=dict)
    """Why targets are unknown, in words, to those targets."""
    structural: bool = False

    def say(self, sentence: str, state: State | None = None) -> None:
        """A sentence of the explanation, and the state that it stands for."""
        self.sentences.append((state or State.HEALTHY, sentence))
        if state is not None:
            self.states.append(state)

    def find(self, finding: Finding, sentence: str) -> None:
        """Something is wrong: it counts, and `sentence` explains it without numbers that change."""
        self.findings.append(finding)
        self.say(sentence, finding.state)

    def note(
        self,
        what: str,
        track: Track,
        text: str,
        sentence: str,
        *,
        state: State,
        incident: str = "",
        among: Sequence[Track] = (),
        next_step: str | None = None,
    ) -> None:
        """`find` for what is read off one target, or off one `among` several."""
        finding = Finding(
            key=f"{self.key}.{what}",
            component=self.key,
            state=state,
            text=text,
            origin=self.origin,
            since=track.fault_since,
            incident=incident or INCIDENTS.get(self.key, self.key),
            next_step=next_step,
            fault=track.fault_kind,
            turned_away=all(is_turned_away(each.fault) for each in among or (track,)),
        )
        self.find(finding, sentence)

    def assessed(self) -> Assessment:
        """The component as judged; its state is the worst that any rule saw."""
        for words, tracks in self.unknown.items():
            text = f"{_names(tracks)} unknown: {words}"
            self.note(f"unknown:{tracks[0].target}", tracks[0], text, f"{text}.", state=State.UNKNOWN)
        judgement = ComponentJudgement(
            key=self.key,
            name=self.name,
            state=worst(self.states),
            figure=fitted(self.figure, FIGURE_WIDTH),
            origin=self.origin,
            explanation=self._explanation(),
            targets=tuple(track.target for track in self.tracks),
            interval_s=min((track.interval_s for track in self.tracks), default=None),
            error=next((track.error for track in self.tracks if track.error), None),
        )
        return Assessment(judgement=judgement, findings=tuple(self.findings), structural=self.structural)

    def _explanation(self) -> tuple[str, ...]:
        """What was said, the worst first: at night it is the first sentence that is read."""
        return tuple(sentence for _, sentence in sorted(self.sentences, key=lambda said: -rank(said[0])))


def _names(tracks: Sequence[Track]) -> str:
    names = listed([track.target.partition(":")[2] or track.target for track in tracks])
    return f"{names} {'is' if len(tracks) == 1 and names != 'metrics' else 'are'}"


def absent(key: str, name: str, how: str) -> Assessment:
    """A component that is not configured; `how` says what would configure it."""
    draft = Draft(key=key, name=name, origin=Origin.NONE, tracks=(), figure=NOT_CONFIGURED)
    draft.say(how, State.NOT_CONFIGURED)
    draft.structural = True
    return draft.assessed()


SHORT_FAULTS = {
    ErrorKind.DNS: "name not resolved",
    ErrorKind.CONNECT: "refuses to connect",
    ErrorKind.TIMEOUT: "no answer in time",
    ErrorKind.TLS: "TLS fails",
    ErrorKind.CLOSED: "closes connection",
    ErrorKind.CHALLENGED: "firewall challenge",
    ErrorKind.CACHED: "cached answer",
    ErrorKind.CREDENTIALS: "access refused",
    ErrorKind.RATE_LIMITED: "rate limited",
    ErrorKind.LIMIT: "no connection free",
    ErrorKind.TOO_LARGE: "answer too large",
    ErrorKind.BODY: "unreadable answer",
    ErrorKind.INTERNAL: "our own defect",
}


def nothing_known(draft: Draft, situation: Situation, track: Track) -> bool:
    """Whether nothing is known of a target; says why, and makes it a finding unless it is only not asked yet."""
    if situation.state(track) is not State.UNKNOWN:
        return False
    if track.newest is None:
        draft.say(f"{track.target} was not polled yet.", State.UNKNOWN)
    elif situation.excused(track):
        draft.say(f"{track.target} is not reached, nor is anything outside: this bastion is offline.", State.UNKNOWN)
    elif track.trouble or track.is_forgotten:
        draft.say(f"{track.target} failed ({words_of(track)}); the next poll or the witness decides.", State.UNKNOWN)
    else:
        draft.unknown.setdefault(words_of(track), []).append(track)
    return True


def overdue(draft: Draft, situation: Situation, track: Track) -> bool:
    """Whether the poll under way has had no answer for longer than the interval: told before its time-out ends it."""
    if track.target not in situation.waiting_s:
        return False
    text = f"{track.target} has given no answer for {track.interval_s:g} s"
    sentence = f"{track.target} has been asked and gives no answer; its time-out is not over yet."
    draft.note(f"waiting:{track.target}", track, text, sentence, state=State.DEGRADED)
    return True


def well(draft: Draft, track: Track, sentence: str) -> None:
    """A target in good state; a single failed poll is told and counts for nothing until the next one confirms it."""
    if track.trouble:
        sentence += f", but the newest poll was not ({words_of(track)}): one poll proves nothing"
    draft.say(f"{sentence}.", State.HEALTHY)


def words_of(track: Track, more: str = "") -> str:
    """What the poll saw that the state rests on, in its own words and `more`; that a trouble ends is told beside it."""
    words = (track.telling.words if track.telling else "not polled yet") + more
    return f"{words}; the newest poll is good again" if track.is_recovering else words


def unseen(situation: Situation, track: Track) -> str:
    """Why there is no figure, in at most nineteen characters: a fault of the way is none of the target's."""
    if track.newest is None:
        return "not polled yet"
    return "not reached" if situation.excused(track) else short_fault(track)


def short_fault(track: Track) -> str:
    """Why the newest poll gave no value, in at most nineteen characters."""
    return SHORT_FAULTS.get(track.error_kind, "fails") if track.error_kind else "fails"
