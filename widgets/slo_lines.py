"""The SLO board as lines: two for each target, and of the selected one what its budget went for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from console.model.metric_views import BurnRate, Consumer, Objective, ObjectiveCell, SloView
from console.model.service_levels import ENOUGH_SHARE
from console.model.slo import PAIRS, lesser, nearest
from console.model.states import State
from console.model.words import budget_words, window_words
from widgets.glyphs import STATE_TONES, Glyphs
from widgets.lines import Line, Span, Tone, backed, blank, cut, fit, wrap
from widgets.outlived import header_later
from widgets.words import duration, figure, full, share, when

_LEFT, _CELL, _BAR = 26, 9, 8
_RIGHT = _BAR + 9
"""Cells of the budget: a gap, the figure, the bar."""
_WIDE_FROM, _WORD = 100, 16
"""From so many columns on, so many cells more for the budget."""
_LABEL = 8
_BURN_CELLS = (12, 6, 6, 7)
_MANY = 1_000_000
_LONG_MS = 9_999.5
"""From here on told in seconds: five digits with their unit have no room."""
_BLOCK = "█"
_BAR_SIGNS, _ASCII_BAR_SIGNS = ("▄", "▁"), ("#", ".")
"""Half as high as the figure beside it: the bar helps to compare, the figure is what counts."""
_ROOMY = 8
"""Lines for what used a budget up from which an empty one goes before them."""
_BEGAN, _LASTED, _TOOK, _OF = 13, 7, 8, 16
_LEAST_USED = 4


def slo_later(view: SloView, now_ms: int) -> SloView:
    """What was read, looked at when it cannot be read any more: no state is of now."""
    stale = tuple(
        each if each.state is State.NOT_CONFIGURED else replace(each, state=State.STALE) for each in view.objectives
    )
    return SloView(header=header_later(view.header, now_ms), objectives=stale)


@dataclass(frozen=True, slots=True)
class Board:
    """Lays the board out for one width, moment and set of signs."""

    width: int
    now_ms: int
    glyphs: Glyphs

    # The targets

    def targets(self, objectives: Sequence[Objective], selected: str | None) -> list[Line]:
        """A head and two lines a target; the selected one behind a bar."""
        lines = [self._head(objectives)] if objectives else []
        for objective in objectives:
            marked = objective.key == selected
            first, second = self._first(objective, marked), self._second(objective, marked)
            lines += [backed(first, "selected"), backed(second, "selected")] if marked else [first, second]
        return lines

    def _cells(self, objective: Objective) -> Sequence[ObjectiveCell]:
        """As many windows as have room: what is now before all, then the longest of them."""
        room = max(1, (self.width - _LEFT - self._right - 1) // _CELL)
        return [*objective.cells[:1], *objective.cells[1:][-room + 1 :]] if room > 1 else objective.cells[:1]

    @property
    def _right(self) -> int:
        """Cells of the budget: wider where its word and its burn rate have room beside each other."""
        return _RIGHT if self.width < _WIDE_FROM else _RIGHT + _WORD

    def _left(self, objective: Objective) -> int:
        return max(_LEFT, self.width - self._right - 1 - _CELL * len(self._cells(objective)))

    def _head(self, objectives: Sequence[Objective]) -> Line:
        first = objectives[0]
        windows = "".join(fit(window_words(cell.window_s).upper(), _CELL, "right") for cell in self._cells(first))
        left = fit("   TARGET", self._left(first))
        return cut([Span(f"{left}{windows}  {fit('BUDGET LEFT', self._right - 2, 'right')}", "head")], self.width)

    def _first(self, objective: Objective, marked: bool) -> Line:
        tone = STATE_TONES[objective.state]
        name = f" {objective.name} "
        limit = f"{'>' if objective.key == 'uptime' else '<'} {target_words(objective)}"
        spans = [
            Span(self.glyphs.bar if marked else " ", "accent"),
            Span(self.glyphs.state[objective.state], tone),
            Span(name, "strong" if marked else "text"),
            Span(fit(limit, self._left(objective) - 2 - len(name), ellipsis=self.glyphs.ellipsis), "dim"),
            *(self._value(objective, cell) for cell in self._cells(objective)),
            *self._budget(objective),
        ]
        return cut(spans, self.width)

    def _value(self, objective: Objective, cell: ObjectiveCell) -> Span:
        missed = _misses(objective, cell)
        tone: Tone = "unknown" if cell.value is None else "warn" if missed else "text"
        if objective.state is State.STALE and cell.value is not None:
            tone = "dim"
        least = self.glyphs.least if cell.at_least else ""
        return Span(fit(least + value_words(objective, cell.value), _CELL, "right"), tone)

    def _budget(self, objective: Objective) -> list[Span]:
        left = objective.budget_left
        if left is None:
            return [Span(fit("?", self._right, "right"), "unknown")]
        words = budget_words(left)
        if left <= 0:
            return [Span(fit(f"{words} spent", self._right, "right"), "warn")]
        filled = max(1, round(min(1.0, left) * _BAR))
        full_sign, empty_sign = _BAR_SIGNS if self.glyphs.shades[-1] == _BLOCK else _ASCII_BAR_SIGNS
        bar = full_sign * filled + empty_sign * (_BAR - filled)
        return [Span(fit(words, self._right - _BAR - 1, "right") + " "), Span(bar, "dim")]

    def _second(self, objective: Objective, marked: bool) -> Line:
        """The state's word and the origin; below each figure the share of its window that was observed."""
        word: Tone = "dim" if objective.state is State.HEALTHY else STATE_TONES[objective.state]
        state = fit(objective.state.value, 14 if objective.state is State.NOT_CONFIGURED else 10)
        bar = Span(self.glyphs.bar if marked else " ", "accent")
        whose = "" if objective.state is State.NOT_CONFIGURED else f"  {objective.origin.value}"
        origin = fit(whose, self._left(objective) - 3 - len(state) - 4)
        cells = "".join(fit(share(cell.observed_share, 0), _CELL, "right") for cell in self._cells(objective))
        spans = [bar, Span("  "), Span(state, word), Span(f"{origin}seen{cells}", "dim"), *self._nearest(objective)]
        return cut(spans, self.width)

    def _nearest(self, objective: Objective) -> list[Span]:
        """How the budget does, in a word; how near the nearest burn rule is to its limit where there is room."""
        found = nearest(objective.burn)
        rate = ""
        if found is not None:  # each rule has a limit of its own, for its own window
            window = window_words(found.long_s).replace(" ", "")
            rate = f"{window} burn {rate_words(lesser(found) or 0.0)}/{found.limit:g}"
        word = _budget_word(objective)
        told = f"{word}, {rate}" if word and rate and self._right > _RIGHT else word or rate
        tone: Tone = "warn" if objective.budget_left is not None and objective.budget_left <= 0 else "dim"
        if found is not None and found.firing:
            tone = _burn_tone(found)
        return [Span(fit(told, self._right, "right"), tone)]

    # One of them

    def detail(self, objective: Objective, selected: int | None = None, room: int | None = None) -> list[Line]:
        """What it promises, how it was met, how fast the budget goes, and for what: in at most `room` lines."""
        lines = [self._promise(objective)]
        if objective.absent:
            lines += self._wrapped(f"{self.glyphs.state[State.UNKNOWN]} {objective.absent}", "unknown")
        if any(cell.counted for cell in objective.cells):
            lines += self._figures(objective)
        if objective.absent:
            return lines
        if room is None or room - len(lines) > _ROOMY:
            lines.append(blank(self.width))
        left = None if room is None else room - len(lines)
        return [*lines, *self.used(objective, selected, left)]

    def _promise(self, objective: Objective) -> Line:
        words = f"  {promise(objective)}, from {objective.origin.value}"
        return cut([Span(f" {objective.name.upper()}", "head"), Span(words, "dim")], self.width, self.glyphs.ellipsis)

    def _wrapped(self, text: str, tone: Tone = "text") -> list[Line]:
        return [cut([Span(f" {row}", tone)], self.width) for row in wrap(text, self.width - 2)]

    def _figures(self, objective: Objective) -> list[Line]:
        """How it was met in each window; beside it, or below where there is no room, how fast the budget burns."""
        cells = objective.cells
        heads = [window_words(cell.window_s) for cell in cells]
        met = [
            self._row(" ", heads, "dim"),
            self._row("met by", [met_words(cell.good_share) for cell in cells]),
            self._row("missed", [_missed(cell) for cell in cells]),
            self._row("of", [amount(cell.counted) for cell in cells], "dim"),
        ]
        burn = self._burn(objective.burn)
        if self.width < len(cells) * _CELL + _LABEL + 1 + sum(_BURN_CELLS):
            return [*(cut(row, self.width) for row in met), *(cut([Span("  "), *row], self.width) for row in burn)]
        return [cut([*left, *right], self.width) for left, right in zip(met, burn, strict=True)]

    def _row(self, label: str, texts: Iterable[str], tone: Tone = "text") -> list[Span]:
        return [
            Span(fit(f" {label}", _LABEL), "dim"),
            *(Span(fit(text, _CELL, "right"), "unknown" if text == "?" else tone) for text in texts),
        ]

    def _burn(self, rates: Sequence[BurnRate]) -> list[list[Span]]:
        names, long, short, limit = _BURN_CELLS
        head = f"  {fit('burn rate', names)}{fit('long', long, 'right')}{fit('short', short, 'right')}"
        rows = [[Span(f"{head}{fit('fires', limit, 'right')}", "dim")]]
        for rate in rates:
            tone = _burn_tone(rate)
            rows.append(
                [
                    Span(f"  {fit(f'{window_words(rate.long_s)}, {window_words(rate.short_s)}', names)}", "dim"),
                    self._rate(rate.long, rate.limit, long, tone),
                    self._rate(rate.short, rate.limit, short, tone),
                    Span(fit(f"> {rate.limit:g}", limit, "right"), tone if rate.firing else "dim"),
                ]
            )
        return rows

    def _rate(self, value: float | None, limit: float, width: int, tone: Tone) -> Span:
        if value is None:
            return Span(fit("?", width, "right"), "unknown")
        over: Tone = "warn" if tone == "text" and value > limit else tone
        return Span(fit(rate_words(value), width, "right"), over)

    # What used it up

    def uncut(self, objective: Objective, room: int) -> list[Line]:
        """The detail where there is room for whole sentences: each consumer with its times, words and cause."""
        lines = self.detail(objective)
        for consumer in objective.consumers if objective.budget_left is not None else ():
            if consumer.subject:
                lines += [blank(self.width), *self.told(consumer)]
        return lines[:room]

    def all_used(self, objectives: Sequence[Objective], room: int) -> list[Line]:
        """What used any budget up, the newest first, where there is room below the board."""
        found = [(one, each) for each in objectives for one in each.consumers if one.subject]
        found.sort(key=lambda pair: -pair[0].began_ms)
        if not found or room < _LEAST_USED:
            return []
        head = f" {fit('BEGAN', _BEGAN)}{fit('LASTED', _LASTED, 'right')}{fit('BUDGET', _TOOK, 'right')}  "
        lines = [blank(self.width), cut([Span(head + fit("OF", _OF) + "WHAT USED IT", "head")], self.width)]
        return [*lines, *(self._consumer(one, False, each.name) for one, each in found)][:room]

    def used(self, objective: Objective, selected: int | None = None, room: int | None = None) -> list[Line]:
        """The consumers, the greatest first; what has no room is counted."""
        if objective.budget_left is None:
            return self._wrapped(_too_little(objective), "dim")
        if not objective.consumers:
            return self._wrapped("Nothing has used this budget up in 30 days.", "dim")
        head = f" {fit('BEGAN', _BEGAN)}{fit('LASTED', _LASTED, 'right')}{fit('BUDGET', _TOOK, 'right')}  WHAT USED IT"
        found = objective.consumers
        shown = found if room is None or len(found) <= room - 1 else found[: max(1, room - 2)]
        lines = [cut([Span(head, "head")], self.width)]
        lines += [self._consumer(each, index == selected) for index, each in enumerate(shown)]
        if len(found) > len(shown):
            lines.append(cut([Span(f" {len(found) - len(shown)} more: enter", "dim")], self.width))
        return lines

    def _consumer(self, consumer: Consumer, marked: bool, of: str = "") -> Line:
        began = "30 days" if not consumer.subject else when(consumer.began_ms, self.now_ms)
        ended_ms = self.now_ms if consumer.ended_ms is None else consumer.ended_ms
        lasted = "" if not consumer.subject else duration((ended_ms - consumer.began_ms) / 1000)
        spans = [
            Span(self.glyphs.bar if marked else " ", "accent"),
            Span(fit(began, _BEGAN), "text"),
            Span(fit(lasted, _LASTED, "right"), "warn" if consumer.ended_ms is None else "dim"),
            Span(fit(budget_words(consumer.budget_share), _TOOK, "right") + "  "),
            Span(fit(of, _OF) if of else "", "dim"),
            *consumer_words(consumer),
        ]
        line = cut(spans, self.width, self.glyphs.ellipsis)
        return backed(line, "selected") if marked else line

    def told(self, consumer: Consumer) -> list[Line]:
        """One of them uncut, times in full."""
        end = "it goes on" if consumer.ended_ms is None else full(consumer.ended_ms)
        times = f"{full(consumer.began_ms)} {self.glyphs.dash} {end}"
        words = "".join(each.text for each in consumer_words(replace(consumer, cause=None)))
        cause = self._wrapped(f"Cause named then: {consumer.cause}") if consumer.cause else []
        return [*self._wrapped(times, "dim"), *self._wrapped(words), *cause]


def consumer_words(consumer: Consumer) -> list[Span]:
    """What it was, and what was named as its cause."""
    text = consumer.text.removeprefix(f"{consumer.subject}: ")
    goes_on = [Span("goes on: ", "warn")] if consumer.ended_ms is None else []
    cause = [Span(f", {consumer.cause}", "dim")] if consumer.cause else []
    return [*goes_on, Span(text, "text" if consumer.subject else "dim"), *cause]


def _misses(objective: Objective, cell: ObjectiveCell) -> bool:
    """Whether a window misses the target: its figure, or too little of what counts."""
    few = cell.good_share is not None and cell.good_share < objective.objective
    if cell.value is None:
        return few
    return few or (cell.value < objective.target if objective.key == "uptime" else cell.value > objective.target)


def _budget_word(objective: Objective) -> str:
    """The budget's own word, which is not the state's; none while it is not known."""
    if any(rate.firing for rate in objective.burn):
        return "budget burning"
    if objective.budget_left is None:
        return ""
    return "budget overdrawn" if objective.budget_left <= 0 else "budget ok"


def _burn_tone(rate: BurnRate) -> Tone:
    """That of the state which the rule makes: the lowest one only warns."""
    return "text" if not rate.firing else "warn" if rate.limit <= PAIRS[-1].limit else "bad"


# --- words ------------------------------------------------------------------------------------------------------------


def target_words(objective: Objective) -> str:
    """The target with its unit; a share without rounding: 99.9 % is not 100 %."""
    return share(objective.target) if objective.unit == "share" else figure(objective.target, objective.unit)


def value_words(objective: Objective, value: float | None) -> str:
    """A figure in the target's unit. Of uptime and errors hundredths of a per cent count."""
    if objective.key == "uptime":
        return met_words(value)
    if objective.key == "errors" and value is not None and value < 0.1:
        return "0 %" if value == 0 else f"{value * 100:.2f} %" if value >= 0.00005 else "<0.01 %"
    if objective.unit == "ms" and value is not None and value >= _LONG_MS:
        return figure(value / 1000, "s")
    return figure(value, objective.unit)


def met_words(good: float | None) -> str:
    """The share that met a target, with two decimals and rounded down: 99.996 % is not called 100 %."""
    if good is None or good == 1.0:
        return share(good)
    return f"{math.floor(good * 10_000 + 1e-6) / 100:.2f} %"


def promise(objective: Objective) -> str:
    """The objective as a sentence."""
    part, target = share(objective.objective), target_words(objective)
    words = {
        "p95": f"{part} of the {objective.counted} within {target}",
        "errors": f"{part} of the {objective.counted} succeed",
        "uptime": f"up in {part} of the rounds observed",
        "memory": f"at most {target} in {part} of the minutes",
        "query": f"{part} of the canary's {objective.counted} within {target}",
    }
    return words.get(objective.key, f"{part} of the {objective.counted}")


def rate_words(value: float) -> str:
    """A burn rate: `0.4`, `12`, `340`."""
    return "0" if value < 0.05 else f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def amount(count: float) -> str:
    """How many: `1,555`, `20.4 M`."""
    return f"{count / _MANY:,.1f} M" if count >= _MANY else f"{count:,.0f}"


def _missed(cell: ObjectiveCell) -> str:
    return "?" if cell.good_share is None else amount((1 - cell.good_share) * cell.counted)


def _too_little(objective: Objective) -> str:
    """Why a budget is not known though figures are."""
    seen = objective.cells[-1] if objective.cells else None
    if seen is None or seen.observed_share >= ENOUGH_SHARE:
        return "The budget is not known: too little counted in 30 days."
    part = share(seen.observed_share, 1)
    return f"The budget is not known: {part} of 30 days were observed, {share(ENOUGH_SHARE)} are needed."
