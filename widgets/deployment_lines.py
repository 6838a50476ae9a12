"""The Deployments page as lines: what serves and what could, and the runs of the pipeline on their ten stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.model.deployment_rules import (
    BROKEN,
    BUILDING,
    PRODUCTION,
    assign_words,
    eligible_words,
    named,
    served_s,
    worse,
)
from console.model.deployments import PAGE, CiRunRow, DeploymentRow, DeploymentsView, Effect, StageCell, StageState
from console.model.not_held import KIND as NOT_HELD
from console.model.observation import Origin
from console.model.pipeline import run_duration_s, run_state, run_words
from console.model.states import State
from console.model.words import counted
from widgets.glyphs import Glyphs
from widgets.lines import Line, Span, Tone, backed, blank, choosable, cut, fit, wrap
from widgets.words import age, duration, number, when

Row = tuple[Line, str | None]

WIDE = 100
"""Columns from which a line tells how long it served and where its figures are from; below, the selected one does."""
BY = 6
"""Cells of whose change it is."""
BACK_FROM, BACK = 112, 22
"""Columns from which each line tells whether one can go back, and the cells of that."""
HOURS = " 1 h"
"""Beside the origin of figures of whole hours: of that time no minutes are on record."""
OLD_MS = 60_000
"""A list that is younger than this is called one of now."""
ROOMY = 40
"""Lines of the terminal from which the groups are parted by an empty one."""
LETTERS = "LUISBDTPMN"
"""Of the ten stages, above their cells: Lint, Unit, Integration, Security, Build, Database, sTaging, Production,
Monitoring, Notify. No two are the same."""
SHORT_NAMES = ("Li", "Un", "In", "Se", "Bu", "Db", "St", "Pr", "Mo", "No")
"""Where there is room."""
SIGNS: Mapping[StageState, tuple[str, str, Tone]] = {
    "passed": ("·", ".", "dim"),
    "failed": ("x", "x", "bad"),
    "running": (">", ">", "accent"),
    "waiting": ("_", "_", "dim"),
    "skipped": ("-", "-", "dim"),
    "cancelled": ("=", "=", "warn"),
    "absent": ("∅", "0", "dim"),
    "unknown": ("?", "?", "unknown"),
}
"""A stage's cell in Unicode and in ASCII, and its tone."""
_RUN_STATES: Mapping[StageState, tuple[State | None, Tone]] = {
    "passed": (State.HEALTHY, "good"),
    "failed": (State.UNHEALTHY, "bad"),
    "running": (None, "accent"),
    "waiting": (None, "text"),
    "cancelled": (None, "warn"),
    "skipped": (None, "dim"),
    "absent": (None, "dim"),
    "unknown": (State.UNKNOWN, "unknown"),
}


@dataclass(frozen=True, slots=True)
class DeploymentList:
    """Lays the list out for one width, height, moment, set of signs and selection."""

    view: DeploymentsView
    width: int
    height: int
    now_ms: int
    glyphs: Glyphs
    selected: str | None
    filter: str = ""
    whole: bool = False
    """Whether older ones are shown that would otherwise be folded away."""
    whole_key: str = "f"
    """What shows those, as remapped."""

    def rows(self) -> list[Row]:
        """All lines with the keys `deployment:ID` and `run:ID`."""
        notices, roomy = self._notices(), self.height >= ROOMY
        rows = [*notices, *([(blank(self.width), None)] if notices and roomy else [])]
        for index, part in enumerate(self._deployments()):
            rows += [(blank(self.width), None)] * (roomy and bool(index)) + part
        return [*rows, (blank(self.width), None), *self._runs()]

    # What is not as usual

    def _notices(self) -> list[Row]:
        """Why new deployments do not go live, what is frozen or rolling: a line each, nothing when all is as usual."""
        view = self.view
        told: list[tuple[str, Tone]] = []
        assigned = assign_words(view)
        if assigned:
            told.append((assigned, "unknown" if assigned.startswith("unknown") else "warn"))
        if view.rolling_release:
            told.append(("ROLLING RELEASE in progress: production is shared between two deployments", "warn"))
        if view.frozen_by is not None:
            until = f" till {when(view.frozen_until_ms, self.now_ms)}" if view.frozen_until_ms is not None else ""
            told.append((f"DEPLOY FREEZE{until} by {named(view.frozen_by)}: runs that would deploy are held", "warn"))
        told += [(f"NOT HELD: {item.text}", "bad") for item in view.header.open_items if item.kind == NOT_HELD]
        return [
            (cut([Span(f" {mark} {row}", tone)], self.width), None)
            for words, tone in told
            for mark, row in zip("! ", wrap(words, self.width - 4), strict=False)
        ]

    # Deployments

    def _deployments(self) -> list[list[Row]]:
        view = self.view
        groups = (
            ("PRODUCTION", [row for row in view.deployments if row.target == PRODUCTION]),
            ("STAGING, PREVIEWS", [row for row in view.deployments if row.target != PRODUCTION]),
        )
        told = self._trouble("DEPLOYMENTS", view.deployments_words, view.deployments_ms, bool(view.deployments))
        newest = len(view.deployments) >= PAGE
        parts = [
            self._group(name, [row for row in rows if self._fits(row)], len(rows), newest)
            for name, rows in groups
            if rows
        ]
        if self.filter and not any(parts):
            parts = [[self._head(f" DEPLOYMENTS 0 of {len(view.deployments)}")]]
        if parts:
            return [[*told, *parts[0]], *(part for part in parts[1:] if part)]
        return [told or [self._head(" DEPLOYMENTS"), self._line([Span("   Vercel lists none.", "dim")])]]

    def _group(self, name: str, rows: Sequence[DeploymentRow], total: int, newest: bool) -> list[Row]:
        if not rows:
            return []
        count = self._count(len(rows), total, newest)
        shown = rows if self.whole or self.filter else self._folded(name, rows)
        left = len(rows) - len(shown)
        lines = [self._deployment_head(f"{name} {count}", name == "PRODUCTION")]
        lines += [line for row in shown for line in self._deployment(row)]
        if left:
            lines.append(self._line([Span(f"   {counted(left, 'older one')}: {self.whole_key} shows all", "dim")]))
        elif newest and self.whole:
            lines.append(self._line([Span("   older ones are not read: Vercel lists them", "dim")]))
        return lines

    def _count(self, kept: int, total: int, newest: bool) -> str:
        """`6`; `newest 20` where there may be more that are not read; `2 of 6` where a filter leaves some off."""
        of = f"newest {total}" if newest else f"{total}"
        return f"{kept} of {of}" if self.filter else of

    def _folded(self, name: str, rows: Sequence[DeploymentRow]) -> Sequence[DeploymentRow]:
        """The newest, and the current one however old: both sections are seen at once."""
        room = max(4, self.height // 2 - 5) if name == "PRODUCTION" else max(1, self.height // 12)
        if len(rows) <= room + 1:
            return rows
        older = [row for row in rows[room:] if row.current or f"deployment:{row.id}" == self.selected]
        return [*rows[: room - len(older)], *older]

    def _deployment_head(self, name: str, first: bool) -> Row:
        if not first:
            return self._head(f" {name}")
        wide = self._is_wide
        tail = f"  {fit('GO BACK', BACK)}" if self.width >= BACK_FROM else ""
        live = fit("LIVE", 6, "right") if wide else ""
        figures = f"{fit('p95 ms', 11)} {fit('ERRORS %', 9)} {fit('FROM', self._from) + ' ' if wide else ''}"
        named = fit(name, max(20, len(name) + 1))
        left = f" {named}{fit('MADE', 5, 'right')}{live}  {fit('BY', self._by)} {figures} COMMIT"
        return self._head(fit(left, self.width - len(tail)) + tail)

    @property
    def _is_wide(self) -> bool:
        return self.width >= WIDE

    @property
    def _from(self) -> int:
        """Cells of where the figures are from; with room for their window where one is not the usual quarter hour."""
        by_hours = any(_window(effect) for row in self.view.deployments for effect in row.effects)
        return 5 + len(HOURS) * by_hours

    @property
    def _by(self) -> int:
        """Cells of whose change it is: as many as a name has, where there is room."""
        longest = max((len(row.author or "") for row in self.view.deployments), default=0)
        return max(2, min(longest, 2 * BY if self._is_wide else BY))

    def _deployment(self, row: DeploymentRow) -> list[Row]:
        key = f"deployment:{row.id}"
        glyph, word, tone = deployment_state(row, self.glyphs)
        quiet: Tone = "text" if row.current or not row.why_not else "dim"
        spans = [
            Span(f"{glyph} ", tone),
            Span(f"{fit(word, 9)} ", tone if tone in ("bad", "warn", "unknown") else quiet),
            Span(f"{fit(row.short, 7, ellipsis=self.glyphs.ellipsis)} ", "strong" if row.current else quiet),
            Span(f" {fit(age(self.now_ms, row.created_ms), 5, 'right')}", "dim"),
            *([Span(fit(self._served(row), 6, "right"), quiet)] if self._is_wide else []),
            Span(f"  {fit(row.author or '', self._by, ellipsis=self.glyphs.ellipsis)} ", "dim"),
            *(self._effects(row) if row.target == PRODUCTION else self._where(row)),
            Span(f" {row.message or row.id}", quiet),
        ]
        back = eligible_words(row) if row.target == PRODUCTION else ""
        tail = [Span(f"  {fit(back, BACK, ellipsis=self.glyphs.ellipsis)}", "dim")] if self.width >= BACK_FROM else []
        marked = key == self.selected
        lines = [self._row(key, spans, tail)]
        if marked and not self._is_wide:
            more = [Span(f"             {self._more(row)}", "dim")]
            lines.append((backed(cut(more, self.width, self.glyphs.ellipsis), "selected"), None))
        return lines

    def _served(self, row: DeploymentRow) -> str:
        """For how long it has served, or did."""
        if row.live_ms is None:
            return "-"
        served = served_s(row, self.now_ms)
        return duration(served) if served is not None else "?"

    def _more(self, row: DeploymentRow) -> str:
        served = "" if row.live_ms is None else f"live {self._served(row)}"
        parts = [served, row.note, row.error, f"figures: {origin}" if (origin := self._origin(row)) else ""]
        if row.target == PRODUCTION and not row.current:
            parts.insert(1, eligible_words(row))
        return "; ".join(part for part in parts if part)

    def _effects(self, row: DeploymentRow) -> list[Span]:
        """`118→1,840`: what it was in the quarter of an hour before it went live, and after."""
        found = {effect.figure: effect for effect in row.effects}
        p95, errors = found.get("p95"), found.get("errors")
        return [
            Span(f"{fit(self._change(p95), 11)} ", effect_tone(p95)),
            Span(f"{fit(self._change(errors), 9)} ", effect_tone(errors)),
            *([Span(f"{fit(self._origin(row), self._from)} ", "dim")] if self._is_wide else []),
        ]

    def _origin(self, row: DeploymentRow) -> str:
        """Where the figures of its effect are from, and their window where it is not the usual one."""
        known = next((one for one in row.effects if one.origin is not Origin.NONE), None)
        return f"{known.origin.value}{_window(known)}" if known is not None else ""

    def _where(self, row: DeploymentRow) -> list[Span]:
        """Of what is not production: its target and its branch, where the figures of production stand."""
        words = f"{row.target or 'preview'} {row.branch or ''}"
        room = 22 + self._from if self._is_wide else 21
        return [Span(f"{fit(words, room, ellipsis=self.glyphs.ellipsis)} ", "dim")]

    def _change(self, effect: Effect | None) -> str:
        if effect is None:
            return ""
        if effect.before is None and effect.after is None:
            return "?"
        arrow = "→" if self.glyphs.ellipsis == "…" else ">"
        return f"{effect_value(effect, effect.before)}{arrow}{effect_value(effect, effect.after)}"

    # Runs

    def _runs(self) -> list[Row]:
        view = self.view
        kept = [run for run in view.runs if self._fits(run)]
        told = self._trouble("CI RUNS", view.runs_words, view.runs_ms, bool(view.runs))
        if not view.runs:
            return told or [self._head(" CI RUNS"), self._line([Span("   There is none on this branch.", "dim")])]
        count = self._count(len(kept), len(view.runs), len(view.runs) >= PAGE)
        stages = " ".join(SHORT_NAMES) if self._is_wide else LETTERS
        left = f" {fit(f'CI RUNS {count}', 20)} {fit('BEGAN', 5, 'right')}  {stages}  {fit('TOOK', 5, 'right')}  WHAT"
        return [*told, self._head(left), *map(self._run, kept)]

    def _run(self, run: CiRunRow) -> Row:
        state = run_state(run)
        shown, tone = _RUN_STATES[state]
        glyph = self.glyphs.state[shown] if shown is not None else sign(state, self.glyphs)
        took = run_duration_s(run, self.now_ms)
        attempt = f".{run.attempt}" if run.attempt > 1 else ""
        said = "" if state == "passed" else f"{run_words(run)}  "
        spans = [
            Span(f"{glyph} ", tone),
            Span(f"{fit(state, 9)} ", tone if state not in ("passed", "waiting") else "text"),
            Span(f"{fit(f'#{run.number}{attempt}', 8)} "),
            Span(f"{fit(age(self.now_ms, run.started_ms), 5, 'right')}  ", "dim"),
            *strip(run.stages, self.glyphs, apart=self._is_wide),
            Span(f"{'' if self._is_wide else ' '} {fit(took_words(took), 5, 'right')}  ", "dim"),
            Span(said, "text" if state != "failed" else "bad"),
            Span(run.title, "dim" if said else "text"),
            *([Span(f" ({run.author})", "dim")] if run.author else []),
        ]
        return self._row(f"run:{run.id}", spans)

    # Lines

    def _fits(self, row: DeploymentRow | CiRunRow) -> bool:
        if isinstance(row, DeploymentRow):
            texts = [
                row.short,
                row.id,
                row.message,
                row.author,
                row.state,
                row.branch,
                row.note,
                row.target or "preview",
            ]
            texts += ["current"] if row.current else []
        else:
            texts = [f"#{row.number}", row.title, row.author, run_words(row), run_state(row), row.branch, row.commit]
        text = " ".join(each for each in texts if each).lower()
        return all(word in text for word in self.filter.lower().split())

    def _trouble(self, head: str, words: str, seen_ms: int | None, known: bool) -> list[Row]:
        """Why what is shown is not of now, or why there is nothing."""
        if not words:
            return []
        is_old = known and seen_ms is not None and self.now_ms - seen_ms >= OLD_MS
        old = f", as of {age(self.now_ms, seen_ms)} ago" if is_old else ""
        rows = wrap(words + old, self.width - 5)
        tone: Tone = "warn" if seen_ms is not None else "text"
        lines = [self._line([Span(f"   {row}", tone)]) for row in rows]
        return lines if known else [self._head(f" {head}"), *lines]

    def _head(self, words: str) -> Row:
        return self._line([Span(words, "head")])

    def _line(self, spans: list[Span]) -> Row:
        return cut(spans, self.width, self.glyphs.ellipsis), None

    def _row(self, key: str, spans: list[Span], tail: list[Span] | None = None) -> Row:
        """A selectable line: `spans` give way to `tail`."""
        bar, ellipsis = self.glyphs.bar, self.glyphs.ellipsis
        marked = key == self.selected
        return choosable(spans, self.width, marked=marked, bar=bar, ellipsis=ellipsis, tail=tail or ()), key


# What list and detail share


def deployment_state(row: DeploymentRow, glyphs: Glyphs) -> tuple[str, str, Tone]:
    """Glyph, word and tone of a deployment."""
    if row.current:
        return glyphs.state[State.HEALTHY], "current", "good"
    if row.state in BUILDING:
        return sign("running", glyphs), row.state, "accent"
    if row.state in BROKEN:
        failed = row.state in ("error", "blocked")
        return (
            glyphs.state[State.UNHEALTHY] if failed else sign("cancelled", glyphs),
            row.state,
            "bad" if failed else "dim",
        )
    if row.state == "ready":
        return " ", "ready", "text"
    return glyphs.state[State.UNKNOWN], "unknown", "unknown"


def _window(effect: Effect) -> str:
    """What is said of a window that is not the usual one."""
    return HOURS if effect.by_hours and effect.origin is not Origin.NONE else ""


def effect_value(effect: Effect, value: float | None) -> str:
    """In ms, or in per cent without its sign."""
    if value is None:
        return "?"
    return f"{value:,.0f}" if effect.figure == "p95" else _percent(value * 100)


def _percent(value: float) -> str:
    """Hundredths below one: error rates are small while all is well."""
    if 0 < value < 0.005:
        return "<.01"
    return number(value) if value >= 0.995 else f"{value:.2f}".rstrip("0").rstrip(".")


def effect_tone(effect: Effect | None) -> Tone:
    """What got clearly worse is worth a colour; what is not known is none."""
    if effect is not None and effect.before is None and effect.after is None:
        return "dim"
    return "bad" if effect is not None and worse(effect) else "text"


def sign(state: StageState, glyphs: Glyphs) -> str:
    """The cell of a stage."""
    return SIGNS[state][0 if glyphs.ellipsis == "…" else 1]


def strip(stages: Sequence[StageCell], glyphs: Glyphs, *, apart: bool) -> list[Span]:
    """Ten cells in the order of the stages. `apart`: each under a name of two letters."""
    return [Span(sign(cell.state, glyphs) + "  " * apart, SIGNS[cell.state][2]) for cell in stages]


def took_words(seconds: float | None) -> str:
    """How long something took: to the second below ten minutes, for pipelines are compared by them."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds < 3600 else duration(seconds)
