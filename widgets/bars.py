"""The lines that every page shares: header, ledger or banner, footer. Values in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from console.model.states import State
from console.model.views import CollectorStatus, Header, OpenItem, Reason
from console.model.words import counted
from widgets.glyphs import STATE_TONES, UNICODE, Glyphs
from widgets.lines import Line, Span, Tone, backed, cut, ends, fit, width_of, wrap
from widgets.words import STEP_S, clock, day, duration, when

_LASTING = 3
"""Entries at the end of the footer that are never left out."""


class Moment(NamedTuple):
    """Which moment the console shows, and whether it still moves."""

    now_ms: int
    at_ms: int | None = None
    """None: now."""
    paused_ms: int | None = None
    """Since when the display stands still. None: it does not."""

    @property
    def live(self) -> bool:
        """Whether what is shown is what is."""
        return self.at_ms is None and self.paused_ms is None

    @property
    def read_ms(self) -> int | None:
        """The moment to read the store at; None: now."""
        return self.at_ms if self.at_ms is not None else self.paused_ms

    @property
    def word(self) -> str:
        """Why it is not live, in a word or two."""
        return "paused" if self.at_ms is None else "not live"

    @property
    def shown_ms(self) -> int:
        """The moment on the screen."""
        return self.now_ms if self.read_ms is None else self.read_ms


class Bars(NamedTuple):
    """What the shared lines are made of."""

    environment: str
    """As configured: shown until the store has told more."""
    moment: Moment
    label: str | None = None
    header: Header | None = None
    trouble: str | None = None
    """Why the store cannot be read; what is shown is the last that was read."""
    glyphs: Glyphs = UNICODE
    role: str = ""
    """What this person is here: `OPERATOR`. Empty: this console acts on nothing."""
    starting: bool = False
    """Whether a collector of ours is about to poll."""


class Key(NamedTuple):
    """One entry of the footer."""

    key: str
    words: str
    enabled: bool = True


def state_spans(state: State, glyphs: Glyphs) -> list[Span]:
    """Glyph and word of a state; the word of what is well stays grey."""
    tone: Tone = STATE_TONES[state]
    return [Span(f"{glyphs.state[state]} ", tone), Span(state.value, "text" if state is State.HEALTHY else tone)]


def _loud(state: State, glyphs: Glyphs) -> Span:
    return Span(f"{glyphs.state[state]} {state.upper()}", STATE_TONES[state])


def header_line(bars: Bars, width: int) -> Line:
    """Where one is, how it is, how late the sources are, who one is here, and which moment is shown."""
    ways = [way for role in _roles(bars) for way in _ways(bars, role)]
    gap = 2 if bars.role else 1  # a role beside the time must not read as one with it
    left, right = next((way for way in ways if width_of(way[0]) + width_of(way[1]) + gap <= width), ways[-1])
    # The banner below repeats the moment: where both have no room, the condition is worth more.
    if not bars.moment.live and width_of(left) + width_of(right) >= width:
        right = []
    return ends(left, right, width, bars.glyphs.ellipsis)


def _ways(bars: Bars, role: list[Span]) -> Iterable[tuple[list[Span], list[Span]]]:
    """The line with a role, longest first. For a role the zone gives way, then the identity's end, the seconds and the
    number of all sources; in a console that acts on nothing, nothing does."""
    whole = [Span(" "), *_place(bars), *_condition(bars)]
    yield [*whole, *role], _time(bars)
    if not bars.role:
        return
    yield [*whole, *role], _time(bars, seconds=True, zone="")
    for cells in (12, 8):
        yield [Span(" "), *_place(bars, cells), *_condition(bars), *role], _time(bars, seconds=True, zone="")
    short = [Span(" "), *_place(bars, 8)]
    yield [*short, *_condition(bars), *role], _time(bars, seconds=False, zone="")
    yield [*short, *_condition(bars, brief=True), *role], _time(bars, seconds=False, zone="")


def _place(bars: Bars, longest: int | None = None) -> Iterable[Span]:
    """`longest`: cells of the identity, which is cut only while it is the right one."""
    header = bars.header
    name = header.environment if header else bars.environment
    label = header.label if header else bars.label
    yield Span(name, "strong")
    if header and header.identity:
        cut_to = None if header.identity_mismatch else longest
        shown = header.identity
        if cut_to is not None and len(shown) > cut_to:
            shown = fit(shown, cut_to, ellipsis=bars.glyphs.ellipsis)
        yield Span(f"={shown}", "bad" if header.identity_mismatch else "text")
    if label and label != name:
        yield Span(f" {label}", "warn")


def _state(bars: Bars) -> State:
    """What was read once is not known to be so still while the store cannot be read."""
    if bars.header is None:
        return State.UNKNOWN
    return State.STALE if bars.trouble is not None else bars.header.state


def _condition(bars: Bars, *, brief: bool = False) -> Iterable[Span]:
    header = bars.header
    yield Span("  ")
    yield _loud(_state(bars), bars.glyphs)
    if header is None:
        return
    yield Span(f"  {counted(header.alerts_firing, 'alert')}", "warn" if header.alerts_firing else "dim")
    of = "" if brief else f"/{header.sources}"
    yield Span(f"  {header.sources_late}{of} late", "warn" if header.sources_late else "dim")


def _roles(bars: Bars) -> list[list[Span]]:
    """The role and how long it is armed, longest first: what has no room is left out whole."""
    if not bars.role:
        return [[]]
    until, now = bars.header.armed_until_ms if bars.header else None, bars.moment.shown_ms
    if until is None or until <= now:
        return [[Span(f"  {bars.role}", "dim")], []]
    left = duration((until - now) / 1000)
    # Who is armed may act: that and until when is worth more than the role's name.
    return [[Span(f"  {words}", "warn")] for words in (f"{bars.role} armed {left}", f"armed {left}", "armed")] + [[]]


def _time(bars: Bars, *, seconds: bool = True, zone: str = " UTC") -> list[Span]:
    moment, header = bars.moment, bars.header
    if moment.at_ms is not None:
        return [Span("AT ", "warn"), Span(f"{day(moment.at_ms)} {clock(moment.at_ms, seconds=True)} UTC ", "strong")]
    if moment.paused_ms is not None:
        return [Span("PAUSED ", "warn"), Span(f"{clock(moment.paused_ms, seconds=True)} UTC ", "strong")]
    if bars.trouble is not None:
        read = "NOT READ" if header is None else f"LAST READ {clock(header.at_ms, seconds=True)} UTC"
        return [Span(f"{read} ", "warn")]
    step_ms = STEP_S * 1000
    return [Span("LIVE ", "dim"), Span(f"{clock(moment.now_ms // step_ms * step_ms, seconds=seconds)}{zone} ", "dim")]


def notice_line(bars: Bars, width: int) -> Line:
    """The second line: a banner when not live, else what is abnormal and must be undone by somebody; else empty."""
    if not bars.moment.live:
        return _banner(bars.moment, width, bars.glyphs)
    entries = list(_abnormal(bars))
    if not entries:
        return cut([], width)
    spans: list[Span] = [Span(" ")]
    for text, tone, is_loud in entries:
        spans += [Span("! ", tone), Span(f"{text}   ", tone if is_loud else "text")]
    return ends(spans, [Span("o ", "accent"), Span("all ", "dim")], width, bars.glyphs.ellipsis)


def _banner(moment: Moment, width: int, glyphs: Glyphs) -> Line:
    at_ms = moment.shown_ms
    word = "NOT LIVE" if moment.at_ms is not None else "PAUSED"
    ago = duration(max(0, moment.now_ms - at_ms) / 1000)
    left = f" {word}  {day(at_ms)} {clock(at_ms, seconds=True)} UTC, {ago} ago: actions are off"
    right = ", . step  L live" if moment.at_ms is not None else "p goes on"
    return backed(ends([Span(left, "strong")], [Span(f" {right} ")], width, glyphs.ellipsis), "banner")


def _abnormal(bars: Bars) -> Iterable[tuple[str, Tone, bool]]:
    """What it is, its tone, and whether its words have it too."""
    if bars.trouble:
        yield bars.trouble, "bad", False
    header = bars.header
    if header is None:
        return
    if header.identity_mismatch:
        yield header.identity_mismatch, "bad", False
    collector = header.collector
    if not collector.alive:
        yield _uncollected(collector, starting=bars.starting)
    if collector.last_error:
        yield f"collector: {collector.last_error}", "bad", False
    if collector.difference:
        yield f"collector differs: {collector.difference}", "warn", False
    now_ms = bars.moment.shown_ms
    shown = (item for item in header.open_items if item.kind != "arming")  # the first line says it of who reads this
    for item in sorted(shown, key=lambda item: not item.is_overdue(now_ms)):
        yield open_words(item, now_ms), "warn", item.is_overdue(now_ms)


def _uncollected(collector: CollectorStatus, *, starting: bool) -> tuple[str, Tone, bool]:
    """That nobody polls; while a collector starts, of when what is shown is."""
    age = None if collector.renewed_age_s is None else duration(collector.renewed_age_s)
    if starting:
        shown = "nothing is stored yet" if age is None else f"shown is what was stored {age} ago"
        return f"the collector is starting: {shown}", "dim", False
    return f"no collector{f' for {age}' if age else ''}: nothing is polled", "bad", False


def open_words(item: OpenItem, now_ms: int) -> str:
    """One entry of the ledger in a few words; of one that should be over how long it should be."""
    owner = f" by {item.owner}" if item.owner else ""
    if item.is_overdue(now_ms):
        return f"{item.kind.upper()} {over_words(item, now_ms)} its planned end{owner}"
    until = f" till {when(item.expires_ms, now_ms)}" if item.expires_ms else ""
    return f"{item_title(item)}{owner}{until}"


def over_words(item: OpenItem, now_ms: int) -> str:
    """`12 m past`: for how long it has been over."""
    return f"{duration((now_ms - (item.expires_ms or now_ms)) / 1000)} past"


def item_title(item: OpenItem) -> str:
    """What is open, its kind first: `SILENCE memory`."""
    kind = item.kind.upper()
    return item.text if item.text.upper().startswith(kind) else f"{kind} {item.text}"


def footer_line(keys: Sequence[Key], said: str | None, width: int, glyphs: Glyphs) -> Line:
    """The keys that act here, the screens first; or, until the next key, what the last act came to."""
    if said is not None:
        return cut([Span(" "), Span(said, "text")], width, glyphs.ellipsis)
    shown = list(keys)
    # What leads everywhere else (go, help, quit) stands last and stays; what stands before it gives way.
    while len(shown) > _LASTING and width_of(_entries(shown)) > width:
        del shown[-_LASTING - 1]
    return cut(_entries(shown), width, glyphs.ellipsis)


def _entries(keys: Iterable[Key]) -> list[Span]:
    spans: list[Span] = []
    for key in keys:
        spans.append(Span("  " if spans else " "))
        spans += [Span(key.key, "accent" if key.enabled else "dim"), Span(f" {key.words}", "dim")]
    return spans


def small_lines(bars: Bars, reasons: Sequence[Reason], width: int, height: int, needed: tuple[int, int]) -> list[Line]:
    """All that a terminal too small for a page is told, in at most so many lines: the state, then what room is needed
    and how to leave, then the reasons between, worst first, as many as fit."""
    state, least = _state(bars), f"{needed[0]}×{needed[1]}"
    first = (_loud(state, bars.glyphs),)
    words = f"too small: {least} needed; q quits"
    if height == 1 and width_of(first) + 2 + len(words) <= width:
        return [(*first, Span(f"  {words}", "dim"))]
    words = words if len(words) <= width else f"{least}; q quits"
    last = [cut([Span(words, "dim")], width)] if len(words) <= width else []
    told: list[Line] = []
    for reason in reasons if bars.header is not None and bars.trouble is None else ():
        sign = Span(f"{bars.glyphs.state[reason.state]} ", STATE_TONES[reason.state])
        rows = wrap(f"{reason.component}: {reason.text}", max(8, width - 2))
        told += [cut([sign if at == 0 else Span("  "), Span(row)], width) for at, row in enumerate(rows)]
    room = max(0, height - 1 - len(last))
    return [cut([Span(first[0].text, first[0].tone)], width), *told[:room], *last][:height]
