"""Deployments: what serves production and what could, what each one did, and the pipeline's runs on their stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from console.model.deployment_rules import Deed, deeds_for_deployment, deeds_for_run, problem
from console.model.deployments import CiRunRow, DeploymentRow, DeploymentsView
from console.model.ports import StoreReads
from screens.feed import Question
from screens.filtered import FilteredPage
from screens.logs_asked import Logs
from screens.page import Page, key
from screens.scroll import Content, ScrollPage, empty
from widgets.deployment_detail import Row, deployment_rows, job_of, log_stage, run_rows
from widgets.deployment_lines import BACK_FROM, WIDE, DeploymentList
from widgets.event_lines import change_column
from widgets.lines import Line, beside, plain

DETAIL_FROM = 140
LATELY_FROM = 180
_GAP = 2
PLAN_HINT = "Choosing one looks at the live facts and shows its plan; nothing is done before that is confirmed."


def _ask(reads: StoreReads, at_ms: int | None) -> DeploymentsView:
    return reads.deployments(at_ms)


def columns(width: int) -> tuple[int, int, int]:
    """Cells of the list, of the detail beside it, and of what changed lately; 0: there is no room for it."""
    if width < DETAIL_FROM:
        return width, 0, 0
    if width < LATELY_FROM:
        main = min(112, width * 5 // 8)
        return main, width - main - _GAP, 0
    main = min(BACK_FROM - 1, WIDE + (width - LATELY_FROM) // 2)  # the detail tells whether one can go back
    lately = min(56, 32 + (width - LATELY_FROM) // 3)
    return main, width - main - lately - 2 * _GAP, lately


def found(view: object, key: str | None) -> DeploymentRow | CiRunRow | None:
    """What a line of the list stands for; None: it is gone."""
    kind, _, name = (key or "").partition(":")
    if not isinstance(view, DeploymentsView):
        return None
    if kind == "deployment":
        return next((row for row in view.deployments if row.id == name), None)
    return next((run for run in view.runs if str(run.id) == name), None) if kind == "run" else None


class DeploymentsScreen(FilteredPage[None]):
    """The fifth screen."""

    NAME = "deployments"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "act", "roll back, promote, deploy, run again", "deployments.act", short="act"),
        key("enter", "open", "all of it", "deployments.open", short="detail"),
        key("l", "log", "the end of its log", "deployments.log", short="log"),
        key("slash", "filter", "filter the lines", "deployments.filter", short="filter"),
        key("e", "problem(1)", "next problem", "deployments.next_problem"),
        key("E", "problem(-1)", "problem before", "deployments.previous_problem"),
        key("f", "whole", "older ones too, or not", "deployments.whole"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.logs = Logs()
        self.whole = False
        self._sought: tuple[str, str] | None = None
        """The key of a line to go to as soon as the list is known, and what to call it."""

    def seek(self, key: str, words: str) -> None:
        """Select that line, of the older ones too; say so where the list does not hold it."""
        self._sought = (key, words)
        self.host.session.filters[self.NAME] = ""
        self.paint()

    def _seek(self, width: int, height: int) -> None:
        """See `seek`; while nothing was read it waits."""
        view = self.view
        if self._sought is None or not isinstance(view, DeploymentsView):
            return
        (key, words), self._sought = self._sought, None
        if found(view, key) is None:
            self.say(f"not among the {len(view.deployments)} deployments listed: {words}")
            return
        self.whole = self.whole or key not in [each for _, each in self.content(width, key).rows]
        self._remember(key)
        super().body(width, height)  # so that it is known where the line stands
        self.action_move(0)

    def come(self) -> None:
        self.make_ready()

    def question(self) -> Question:
        return _ask

    @property
    def chosen_row(self) -> DeploymentRow | CiRunRow | None:
        """What the selected line stands for."""
        return found(self.view, self.selected)

    def content(self, width: int, selected: str | None) -> Content:
        view = self.view
        if not isinstance(view, DeploymentsView):
            return Content(self.waiting(width))
        rows = DeploymentList(
            view,
            width,
            self.size.height,
            self.now_ms(view.header),
            self.host.glyphs,
            selected,
            self.filter,
            self.whole,
            self._key_of("deployments.whole"),
        ).rows()
        return Content([line for line, _ in rows], [(y, key) for y, (_, key) in enumerate(rows) if key is not None])

    def body(self, width: int, height: int) -> list[Line]:
        main, detail, lately = columns(width)
        self._seek(main, height)
        lines = super().body(main, height)
        view, row = self.view, self.chosen_row
        if not detail or not isinstance(view, DeploymentsView):
            return lines
        parts: list[tuple[Sequence[Line], int]] = [(lines, main)]
        rows = detail_rows(self, view, row, detail, self.logs, None, height) if row is not None else []
        parts.append(([line for line, _ in rows], detail))
        if lately:
            now_ms, glyphs = self.now_ms(view.header), self.host.glyphs
            parts.append((change_column(view.lately, lately, height, now_ms, glyphs), lately))
        return beside(parts, height, _GAP)

    def leave_field(self) -> bool:
        """Esc gives up what is being read, else drops the filter."""
        return self.logs.give_up(self) or super().leave_field()

    # What

    def action_whole(self) -> None:
        """Older ones too, or not."""
        self.whole = not self.whole
        self.paint()

    def action_problem(self, by: int) -> None:
        """Select the next (or previous) line that failed or that nobody understands."""
        keys = [key for _, key in self._content.rows]
        rows = {key: row for key in keys if (row := found(self.view, key)) is not None}
        bad = [key for key in keys if key in rows and problem(rows[key])]
        if not bad:
            self.say("no deployment and no run has a problem")
            return
        at = keys.index(self.selected) if self.selected in keys else 0
        order = [keys[(at + by * step) % len(keys)] for step in range(1, len(keys) + 1)]
        self.action_move(keys.index(next(key for key in order if key in bad)) - at)

    async def action_open(self) -> None:
        """The selected line in full, over the whole screen."""
        await self._open()

    async def _open(self) -> DetailPage | None:
        row, selected = self.chosen_row, self.selected
        if row is None or selected is None:
            return None
        kind = DeploymentPage if isinstance(row, DeploymentRow) else RunDetailPage
        page = kind(selected, self.logs)
        await self.open_page(page)
        return page

    async def action_log(self) -> None:
        """Read the end of the selected line's log: shown beside the list, or over the whole screen."""
        page = await self._open() if self.size.width < DETAIL_FROM else self
        if page is not None:
            ask_log(page, self.logs, self.chosen_row, None if page is self else page.selected)

    async def action_act(self) -> None:
        """The plan of what can be done about the selected line, or the choice among several."""
        await act_on(self, self.logs, self.view, self.chosen_row)


class DetailPage(ScrollPage[None]):
    """One line of the list in full, over the whole screen."""

    def __init__(self, key: str, logs: Logs) -> None:
        super().__init__()
        self.key = key
        self.logs = logs

    @property
    def place(self) -> str:
        return f"{self.NAME}:{self.key}"

    def question(self) -> Question:
        return _ask

    @property
    def row(self) -> DeploymentRow | CiRunRow | None:
        """What is shown; None: it is gone."""
        return found(self.view, self.key)

    def copied(self) -> str | None:
        """The whole page, not only what is on the screen."""
        return plain(self._content.lines)

    def content(self, width: int, selected: str | None) -> Content:
        view, row = self.view, self.row
        if not isinstance(view, DeploymentsView):
            return Content(self.waiting(width))
        if row is None:
            return Content(empty(width, "This line is not known at the moment shown."))
        rows = detail_rows(self, view, row, width, self.logs, selected)
        return Content([line for line, _ in rows], [(y, key) for y, (_, key) in enumerate(rows) if key is not None])

    def chosen(self) -> None:
        """Another stage's log may be known."""
        self.paint()

    def leave_field(self) -> bool:
        """Esc gives up what is being read."""
        return self.logs.give_up(self)

    def log_came(self) -> None:
        """What was asked for is the end of it."""
        self.paint()
        self.go_line(100_000)

    def action_log(self) -> None:
        """Read the end of its log."""
        ask_log(self, self.logs, self.row, self.selected)

    async def action_act(self) -> None:
        """The plan of what can be done about it."""
        await act_on(self, self.logs, self.view, self.row)


class DeploymentPage(DetailPage):
    """A deployment: facts, effect, the end of its build's log."""

    NAME = "deployment"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "act", "roll back, promote, deploy", "deployments.act", short="act"),
        key("l", "log", "the end of its build's log", "deployments.log", short="log"),
    ]


class RunDetailPage(DetailPage):
    """A run: its ten stages, and the end of the log of one. Until a person moves, the cursor is on the stage that
    failed, or runs, or was the last."""

    NAME = "ci-run"
    BINDINGS: ClassVar[list[BindingType]] = [
        key("a", "act", "run again, cancel", "deployments.act", short="act"),
        key("l", "log", "the end of the stage's log", "deployments.log", short="log"),
    ]

    @property
    def selected(self) -> str | None:
        row, kept = self.row, super().selected
        if kept is not None or not isinstance(row, CiRunRow):
            return kept
        stage = log_stage(row, None)
        return None if stage is None else f"stage:{stage}"


# What list and detail share


def detail_rows(
    page: Page[None],
    view: DeploymentsView,
    row: DeploymentRow | CiRunRow,
    width: int,
    logs: Logs,
    selected: str | None,
    height: int | None = None,
) -> Sequence[Row]:
    """A line in full, with what is known of its log: in so many lines, or all of it."""
    host, now_ms = page.host, page.now_ms(view.header)
    key = page._key_of("deployments.log") if host.inquiries is not None else ""
    log = logs.get(_log_key(row, selected))
    if isinstance(row, DeploymentRow):
        return deployment_rows(row, width, now_ms, host.glyphs, log, key, height)
    return run_rows(row, width, now_ms, host.glyphs, log, key, selected, height)


def _log_key(row: DeploymentRow | CiRunRow, selected: str | None) -> str:
    if isinstance(row, DeploymentRow):
        return row.id
    return f"job:{job_of(row, log_stage(row, selected))}"


def ask_log(page: Page[None], logs: Logs, row: DeploymentRow | CiRunRow | None, selected: str | None) -> None:
    """Read the end of a log."""
    came = page.log_came if isinstance(page, DetailPage) else page.paint
    if isinstance(row, DeploymentRow):
        name = row.id
        logs.ask(page, name, lambda inquiries: inquiries.build_log(name), came)
    elif row is not None:
        job = job_of(row, log_stage(row, selected))
        if job is None:
            page.say("no job is known whose log could be read")
        else:
            logs.ask(page, f"job:{job}", lambda inquiries: inquiries.job_log(job), came)


async def act_on(page: Page[None], logs: Logs, view: object, row: DeploymentRow | CiRunRow | None) -> None:
    """Open the plan of the one thing that can be done, or the choice among several."""
    if not page.host.moment.live:
        page.say(f"{page.host.moment.word}: actions are off; L goes back to now")
        return
    if row is None or not isinstance(view, DeploymentsView):
        page.say("there is nothing to act on: no line is selected")
        return
    logs.give_up(page)  # a plan does not wait for a log
    if isinstance(row, DeploymentRow):
        deeds, called = deeds_for_deployment(view, row), row.short
        nothing = row.why_not or f"it is {row.state}"
    else:
        deeds, called, nothing = deeds_for_run(row), f"run #{row.number}", "nothing can be asked for"
    if not deeds:
        page.say(f"{called}: there is nothing to do: {nothing}")
    elif len(deeds) == 1:
        await _open(page, deeds[0])
    else:
        await choose_deed(page, f"{called}: what should be planned?", deeds)


async def choose_deed(page: Page[None], title: str, deeds: Sequence[Deed]) -> None:
    """The choice among several, whose plan is then opened over the page that asked."""
    from screens.dialogs.choose import ChoosePage

    def chosen(index: int | None) -> None:
        if index is not None:
            page.call_later(_open, page, deeds[index])

    await page.open_page(ChoosePage(title, [deed.words for deed in deeds], PLAN_HINT), chosen)


async def _open(page: Page[None], deed: Deed) -> None:
    from screens.plan import open_plan

    await open_plan(page, deed.request)
