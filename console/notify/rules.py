"""Which alert is told to which channel, when, and as what. Pure: what fires and what was told in, entries out.

Level, not edge: everything that should have been told by now and was not is an entry. So a restart, a takeover or a
write that failed loses nothing and doubles nothing: the outbox, asked for these same events, is the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from console.model.configuration import SEVERITIES, Severity
from console.model.judgement import AlertChange
from console.model.notifications import PAGERDUTY, STATUSPAGE
from console.model.operations import Notify
from console.model.views import alert_name

What = Literal["began", "escalated", "ended", "acknowledged"]
MOST_ESCALATIONS = 4
UNTOLD = ("failed", "dropped")
"""States of a message that reached nobody."""
NEVER_QUIET = ("security",)
"""Rules that maintenance does not hold back."""
SETTLING_MS = 2 * 60_000
"""What began during a maintenance, or in the first minute after it, is told only when it still fires so long after its
end: a rule ends an alert a minute after what it saw, and measures over a window that reaches back into it."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event that stands in the outbox for a channel."""

    made_ms: int
    state: str
    attempts: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """What holds messages back."""

    silenced: Callable[[str, str], bool] = lambda rule, subject: False
    """Whether a silence of the rule and subject is in force."""
    maintenance: bool = False
    offline: bool = False
    """This bastion is offline: what fires is not known to go on."""
    settling: tuple[int, int] | None = None
    """From and until of the maintenance that ended last, in wall ms."""

    def holds(self, alert: AlertChange, now_ms: int) -> bool:
        """Whether nobody is to be told now that it fires."""
        if self.silenced(alert.rule, alert.subject):
            return True
        if alert.rule in NEVER_QUIET:
            return False
        return self.maintenance or self._settles(alert, now_ms)

    def _settles(self, alert: AlertChange, now_ms: int) -> bool:
        if self.settling is None:
            return False
        from_ms, until_ms = self.settling
        within = from_ms <= alert.began_ms < until_ms + SETTLING_MS // 2
        return within and until_ms <= now_ms < until_ms + SETTLING_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message to be put into the outbox."""

    event: str
    channel: str
    what: What
    alert: AlertChange
    severity: Severity
    """The alert's own, or what it was raised to."""
    by: str = ""
    """Who acknowledged it."""

    @property
    def is_grouped(self) -> bool:
        """Whether it waits for others that begin with it. PagerDuty groups by itself, and is told at once."""
        return self.channel != PAGERDUTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be told, and what waits and need not be told any more: ids of the outbox."""

    entries: tuple[Entry, ...] = ()
    drop: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that is decided from."""

    environment: str
    notify: Notify
    channels: Sequence[str]
    now_ms: int
    firing: Sequence[AlertChange] = ()
    ended: Sequence[AlertChange] = ()
    told: Mapping[tuple[str, str], Told] = field(default_factory=dict)
    """By (event, channel)."""
    acknowledged: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    """By (rule, subject, began_ms): who."""
    quiet: Quiet = Quiet()


def event_of(environment: str, alert: AlertChange, what: str) -> str:
    """The event's id: the same in every process and after every restart."""
    return f"{environment}:{alert.rule}:{alert.subject}:{alert.began_ms}:{what}"


def events_of(environment: str, alert: AlertChange) -> tuple[str, ...]:
    """Every event that can be told of an alert."""
    whats = ("began", *(f"escalated-{number}" for number in range(1, MOST_ESCALATIONS + 1)), "acknowledged", "ended")
    return tuple(event_of(environment, alert, what) for what in whats)


def least_of(notify: Notify, channel: str) -> Severity:
    """The least severity that a channel is told of. A webhook by its name, with or without `webhook:`."""
    name = channel.partition(":")[2]
    return notify.least.get(channel) or notify.least.get(name) or ("high" if channel == PAGERDUTY else "medium")


def decide(situation: Situation) -> Decision:
    """What is to be told now."""
    entries: list[Entry] = []
    drop: list[int] = []
    for channel in situation.channels:
        if channel == STATUSPAGE:  # what the public is told, `public_alerts` decides
            continue
        told = _Channel(situation, channel)
        for alert in situation.firing:
            entries += told.of_firing(alert)
        for alert in situation.ended:
            found, dropped = told.of_ended(alert)
            entries += found
            drop += dropped
    return Decision(entries=tuple(entries), drop=tuple(drop))


class _Channel:
    """One channel's part in the situation."""

    def __init__(self, situation: Situation, name: str) -> None:
        self._at, self._name = situation, name
        self._least = SEVERITIES.index(least_of(situation.notify, name))

    def of_firing(self, alert: AlertChange) -> Iterable[Entry]:
        """Its beginning, one escalation, who has it in hand."""
        who = self._at.acknowledged.get((alert.rule, alert.subject, alert.began_ms))
        began = self._told(alert, "began")
        held = self._is_held(alert)
        if began is None and not held and self._wants(alert.severity):
            yield self._entry(alert, "began", "began", alert.severity)
        if who is not None:
            yield from self._acknowledgement(alert, who)
        elif not held and not self._at.quiet.offline:
            yield from self._escalation(alert)

    def _acknowledgement(self, alert: AlertChange, who: str) -> Iterable[Entry]:
        if self._name == PAGERDUTY and self._reached(alert) and self._told(alert, "acknowledged") is None:
            yield self._entry(alert, "acknowledged", "acknowledged", alert.severity, who)

    def _escalation(self, alert: AlertChange) -> Iterable[Entry]:
        """The newest step that is due; those before it that were not told are left out."""
        since_ms = self._since_ms(alert)
        due = [
            (number, severity)
            for number, severity, after_s in escalations(self._at.notify, alert.severity)
            if since_ms is not None and self._at.now_ms >= since_ms + after_s * 1000
        ]
        if not due:
            return
        number, severity = due[-1]
        what = f"escalated-{number}"
        if self._wants(severity) and self._told(alert, what) is None:
            yield self._entry(alert, "escalated", what, severity)

    def _since_ms(self, alert: AlertChange) -> int | None:
        """From when on nobody acknowledged what he could know: since somebody was told, or, where it was too slight
        to be told, since it began. None: it is only being told now."""
        event = event_of(self._at.environment, alert, "began")
        times = [told.made_ms for (name, _), told in self._at.told.items() if name == event]
        if times:
            return min(times)
        wanted = any(
            SEVERITIES.index(alert.severity) <= SEVERITIES.index(least_of(self._at.notify, channel))
            for channel in self._at.channels
            if channel != STATUSPAGE
        )
        return None if wanted else alert.began_ms

    def of_ended(self, alert: AlertChange) -> tuple[list[Entry], list[int]]:
        """Its end, where it was told of; where its beginning still waits, untried, for PagerDuty, nobody is woken."""
        waiting = [told for told in self._all(alert) if told.state == "waiting" and not told.attempts]
        if self._name == PAGERDUTY and waiting and len(waiting) == len(self._all(alert)):
            return [], [told.id for told in waiting]
        if not self._reached(alert) or self._told(alert, "ended") is not None:
            return [], []
        return [self._entry(alert, "ended", "ended", alert.severity)], []

    def _is_held(self, alert: AlertChange) -> bool:
        return self._at.quiet.holds(alert, self._at.now_ms)

    def _wants(self, severity: Severity) -> bool:
        return SEVERITIES.index(severity) <= self._least

    def _told(self, alert: AlertChange, what: str) -> Told | None:
        return self._at.told.get((event_of(self._at.environment, alert, what), self._name))

    def _all(self, alert: AlertChange) -> list[Told]:
        found = (self._at.told.get((event, self._name)) for event in events_of(self._at.environment, alert))
        return [told for told in found if told is not None]

    def _reached(self, alert: AlertChange) -> bool:
        """Whether the channel was told of it, or may have been, or still will be."""
        return any(told.state not in UNTOLD for told in self._all(alert))

    def _entry(self, alert: AlertChange, what: What, name: str, severity: Severity, by: str = "") -> Entry:
        event = event_of(self._at.environment, alert, name)
        return Entry(event=event, channel=self._name, what=what, alert=alert, severity=severity, by=by)


def escalations(notify: Notify, severity: Severity) -> list[tuple[int, Severity, float]]:
    """(number, severity raised to, seconds after its beginning) of each step, until one that has no time of its own.

    What is critical already is told once more as that.
    """
    steps: list[tuple[int, Severity, float]] = []
    after_s, current = 0.0, severity
    while (wait_s := notify.escalate_s.get(current)) and len(steps) < MOST_ESCALATIONS:
        raised = SEVERITIES[max(0, SEVERITIES.index(current) - 1)]
        after_s += wait_s
        steps.append((len(steps) + 1, raised, after_s))
        if current == raised:
            break
        current = raised
    return steps


def name_of(alert: AlertChange) -> str:
    """What an alert is called: `error-rate/users`."""
    return alert_name(alert.rule, alert.subject)
