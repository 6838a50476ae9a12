"""A plan as lines: what was looked at, what would be done, what will not come back. Values in, lines out.

Where the room is scarce the calls stand beside their steps, cut; else each is seen whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from console.model.actions import ELSEWHERE, Check, CheckResult, Option, Plan, Risk, Step
from console.model.states import State
from console.model.words import counted
from widgets.glyphs import UNICODE, Glyphs
from widgets.lines import Line, Span, Tone, blank, cut, ends, plain, width_of, wrap
from widgets.words import duration

RISK_TONES: dict[Risk, Tone] = {Risk.SAFE: "dim", Risk.DISRUPTIVE: "warn", Risk.DESTRUCTIVE: "bad"}
OLD_MS = 120_000
"""A plan that is older is not carried out any more."""
_CHECKS = {
    CheckResult.PASS: (State.HEALTHY, "good"),
    CheckResult.WARN: (State.DEGRADED, "warn"),
    CheckResult.FAIL: (State.UNHEALTHY, "bad"),
}
WIDEST = 120
"""Cells beyond which the ends of a line no longer read as one line."""
_LABEL = 20
_NUMBER = 5
_FEW = 2
"""Checks that passed: fewer take no more room than their number."""
_CALL_FROM = 12
"""Cells from which a call beside its step tells something."""
_VERBS = {
    "rollback": "Roll back",
    "promote": "Promote",
    "deploy": "Deploy",
    "rerun": "Run again",
    "cancel-run": "Cancel the run",
    "cancel-due": "Call it off",
    "announce": "Announce",
    "maintenance-table": "Create",
}
_OPENING_VERBS = frozenset({"Freeze", "Lift", "End", "Begin", "Hold", "Release", "Announce", "Create", "Send", "Go"})


class Look(NamedTuple):
    """The room and the signs, the moment that ages are told for, and when the plan was made."""

    width: int
    height: int
    now_ms: int
    made_ms: int
    glyphs: Glyphs = UNICODE
    whole_key: str = "w"
    """What shows all that gave way."""


def verb_of(plan: Plan) -> str:
    """What the button that begins it says."""
    known = _VERBS.get(plan.action)
    first = plan.title.partition(" ")[0]
    return known or (first if first in _OPENING_VERBS else "Do it")


class _Room(NamedTuple):
    """What there is room for: empty lines, the calls whole, where a check comes from, a line before the steps, all the
    words of what is well, a line for each of it, one for each thing that is lost, the steps before the consequences."""

    airy: bool = True
    whole: bool = True
    sources: bool = True
    parted: bool = True
    worded: bool = True
    listed: bool = True
    apart: bool = True
    steps_first: bool = True


_ROOMS = (
    _Room(),
    _Room(airy=False),
    _Room(airy=False, whole=False),
    _Room(airy=False, whole=False, sources=False),
    _Room(airy=False, whole=False, sources=False, parted=False),
    _Room(airy=False, whole=False, sources=False, parted=False, worded=False),
    _Room(airy=False, whole=False, sources=False, parted=False, worded=False, listed=False),
    _Room(airy=False, whole=False, sources=False, parted=False, worded=False, listed=False, apart=False),
    _Room(False, False, False, False, False, False, False, False),
)


def plan_rows(plan: Plan, look: Look, *, whole: bool = False) -> list[Line]:
    """All lines of the plan, as airy as the room allows: where a check was learnt and the ends of calls give way first.

    What warns, what will not come back and the undo give way to nothing: where it is too much even so, the steps come
    last. `whole`: nothing gives way, however long the page becomes.
    """
    for room in _ROOMS[: 1 if whole else None]:
        lines = _laid_out(plan, look, room)
        if len(lines) <= look.height:
            return [*lines, *_escape(plan, look, look.height - len(lines))]
    return lines


def _escape(plan: Plan, look: Look, room: int) -> list[Line]:
    """The escape card below the plan, where there is room for all of it."""
    rows = [row for command in plan.escape for row in _command(command, look.width)]
    head = cut([Span(" ESCAPE CARD", "head"), Span("  the same with the vendors' own tools", "dim")], look.width)
    return [blank(look.width), head, *rows] if rows and len(rows) + 2 <= room else []


def _command(command: str, width: int) -> list[Line]:
    rows = wrap(command, width - _NUMBER - 3)
    return [
        cut([Span(" " * (_NUMBER if at == 0 else _NUMBER + 2)), Span(row, "dim")], width) for at, row in enumerate(rows)
    ]


def plan_text(plan: Plan, look: Look) -> str:
    """The whole plan as text, for copying."""
    return plain(_laid_out(plan, look._replace(width=max(look.width, 120)), _Room()))


def _laid_out(plan: Plan, look: Look, room: _Room) -> list[Line]:
    gap = [blank(look.width)]
    lines = [_title(plan, look), *(gap if room.airy else [])]
    lines += _checks(plan, look, room)
    lines += [_option(option, look) for option in plan.options]
    steps = [*(gap if room.parted else []), *_steps(plan, look, room)]
    consequences = [*(gap if room.airy else []), *_consequences(plan, look, room)]
    return [*lines, *(steps + consequences if room.steps_first else consequences + steps)]


def _checks(plan: Plan, look: Look, room: _Room) -> list[Line]:
    """What fails first; where there is no room what is well is counted, after what is to be known."""
    checks = sorted(plan.checks, key=lambda each: each.result is not CheckResult.FAIL)
    passed = [check for check in checks if check.result is CheckResult.PASS]
    if room.listed or len(passed) < _FEW:
        return [line for check in checks for line in _check(check, look, room)]
    told = [line for check in checks if check not in passed for line in _check(check, look, room)]
    state, tone = _CHECKS[CheckResult.PASS]
    sign = Span(f"  {look.glyphs.state[state]}  ", tone)  # type: ignore[arg-type]  # a tone of the table above
    count, beyond = counted(len(passed), "check"), _beyond(passed)
    more = f" ({look.whole_key}); {beyond}" if beyond else f": {look.whole_key} tells them"
    return [*told, cut([sign, Span(f"{count} passed"), Span(more, "dim")], look.width, look.glyphs.ellipsis)]


def _beyond(passed: Sequence[Check]) -> str:
    """What no check of this host can tell of another bastion: said even where what is well is only counted."""
    return next((check.words.partition("; ")[2] for check in passed if check.key == ELSEWHERE), "")


def _steps(plan: Plan, look: Look, room: _Room) -> list[Line]:
    end = [Span(f"expected {_expected(plan.expected_s)} ", "head")]
    lines: list[Line] = [ends([Span(" STEPS", "head")], end, look.width)]
    column = max((cell_len(step.words) for step in plan.steps), default=0) + 2
    for number, step in enumerate(plan.steps, 1):
        lines += _step(number, step, column, look, whole=room.whole)[: None if room.listed else 1]
    return lines


def _consequences(plan: Plan, look: Look, room: _Room) -> list[Line]:
    lost, afterwards = plan.lost or ("nothing is lost by it",), plan.afterwards
    if not room.apart:
        lost, afterwards = ("; ".join(lost),), (("; ".join(afterwards),) if afterwards else ())
    undo: Tone = "text" if plan.undo else "warn"
    return [
        *_told("WILL NOT COME BACK", lost, look, dim=not plan.lost),
        *_told("AFTERWARDS", afterwards, look),
        *_told("UNDO", (plan.undo or "it cannot be undone by this console",), look, tone=undo),
    ]


def _title(plan: Plan, look: Look) -> Line:
    age_ms = look.now_ms - look.made_ms
    old: Tone = "warn" if age_ms > OLD_MS else "dim"
    right = [Span(plan.risk, RISK_TONES[plan.risk]), Span(f", looked {duration(max(0, age_ms) / 1000)} ago ", old)]
    left = [Span(" PLAN  ", "head"), Span(plan.title, "strong")]
    if width_of(left) + width_of(right) >= look.width:
        right = [right[0], Span(" ")] if old == "dim" else [right[0], Span(", old ", old)]
    return ends(left, right, look.width, look.glyphs.ellipsis)


def _check(check: Check, look: Look, room: _Room) -> list[Line]:
    """Glyph, words, and from where and when at the end of the last line that has room for it."""
    state, tone = _CHECKS[check.result]
    sign = Span(f"  {look.glyphs.state[state]}  ", tone)  # type: ignore[arg-type]  # a tone of the table above
    aged = "" if check.at_ms is None else f"{duration(max(0, look.now_ms - check.at_ms) / 1000)} ago"
    tail = ", ".join(part for part in (check.source, aged) if part)
    if check.result is CheckResult.PASS and not room.worded:
        return [cut([sign, Span(check.words)], look.width - 1, look.glyphs.ellipsis)]
    rows = wrap(check.words, look.width - _NUMBER - 1)
    ink: Tone = "strong" if check.result is CheckResult.FAIL else "text"
    lines = [[sign if index == 0 else Span(" " * _NUMBER), Span(row, ink)] for index, row in enumerate(rows)]
    end = [Span(f"{tail} ", "dim")] if tail else []
    if end and width_of(lines[-1]) + width_of(end) + 1 >= look.width:
        more = [ends([], end, look.width)] if room.sources else []
        return [*(cut(line, look.width) for line in lines), *more]
    return [*(cut(line, look.width) for line in lines[:-1]), ends(lines[-1], end, look.width)]


def _option(option: Option, look: Look) -> Line:
    state = Span("on   ", "strong") if option.on else Span("off  ", "dim")
    words = Span(option.words, "strong" if option.on else "text")
    return cut([Span(" " * _NUMBER), Span(f"{option.key}  ", "accent"), state, words], look.width, look.glyphs.ellipsis)


def _step(number: int, step: Step, column: int, look: Look, *, whole: bool) -> list[Line]:
    """Number, words, the call; at the end how long it takes."""
    more = "" if step.required else "  may fail without losing the rest"
    begin = [Span(f"{number:>3}  ", "accent"), Span(step.words)]
    end = [Span(f"{_expected(step.expected_s)} ", "dim")]
    room = look.width - _NUMBER - column - width_of(end) - 1
    if step.call and (cell_len(step.call) <= room or (not whole and room >= _CALL_FROM)):
        pad = Span(" " * (column - cell_len(step.words)))
        return [ends([*begin, pad, Span(step.call, "dim")], end, look.width, look.glyphs.ellipsis)]
    first, *rest = wrap(step.words, look.width - _NUMBER - width_of(end) - 1)
    lines = [ends([begin[0], Span(first)], end, look.width)]
    lines += [cut([Span(" " * _NUMBER), Span(row)], look.width) for row in rest]
    if not whole:
        return lines
    told = step.call + more if step.call else more.strip()
    return [
        *lines,
        *(cut([Span(" " * _NUMBER), Span(row, "dim")], look.width) for row in wrap(told, look.width - 6) if told),
    ]


def _expected(expected_s: float) -> str:
    """`20 s`, `3 m`; what takes no time that anybody notices says so."""
    return "<1 s" if expected_s < 1 else f"{expected_s:.0f} s" if expected_s < 120 else duration(expected_s)


def _told(label: str, texts: Sequence[str], look: Look, *, dim: bool = False, tone: Tone = "text") -> list[Line]:
    """A label in capitals and what it tells, each text on a line of its own where there are several."""
    rows = [row for text in texts for row in wrap(text, look.width - _LABEL - 2)]
    heads = [f" {label}", *[""] * len(rows)]
    return [
        cut([Span(f"{head:<{_LABEL + 1}}", "head"), Span(row, "dim" if dim else tone)], look.width)
        for head, row in zip(heads, rows, strict=False)
    ]
