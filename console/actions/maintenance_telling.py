"""Telling people of maintenance: the public by our status page, colleagues by the outbox. Neither holds up the rest."""

from __future__ import annotations

from dataclasses import dataclass

from console.actions import maintenance_untold
from console.actions.base import Context, done, failed
from console.actions.status_page import StatusPage, Told
from console.actions.wire import Rejected
from console.model.actions import Step, StepKind, StepResult
from console.model.maintenance import channels
from console.model.operations import Operations, Statuspage
from console.model.times import date_time, iso
from console.model.wire import Unanswered
from console.notify.public_page import UNPLANNED, Entry, Update
from console.notify.wording import notice, where_words
from console.store import outbox
from console.store.errors import StoreError

STATUSPAGE, TELL = "statuspage", "tell"
TITLE = "Scheduled maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be told. `key` is the run that announced it, or that does it."""

    key: str
    what: str
    """`begun`, `changed`, `over`, `announced`, `cancelled`."""
    message: str
    from_ms: int
    until_ms: int | None = None
    """The planned end; None: none is planned, and none is told."""
    page_until_ms: int | None = None
    """The end that the status page has: of what is scheduled it must have one."""
    mail: bool = False
    announced: bool = False
    """It was announced: the status page has an entry of it."""
    again: bool = False
    """It was so already: who was told is not told again."""
    untold: bool = False
    """Of `over`: nobody was told that it began."""


def steps(operations: Operations, public: str, *, mail: bool) -> tuple[Step, ...]:
    """The steps that tell; `public`: what the status page is to say."""
    found: list[Step] = []
    if operations.statuspage:
        found.append(_public(operations.statuspage, public, mail=mail))
    names = channels(operations)
    if names:
        words, call = f"tell {', '.join(names)}", "the collector delivers it"
        found.append(Step(key=TELL, kind=StepKind.TELL, words=words, call=call, required=False, expected_s=0.1))
    return tuple(found)


def _public(settings: Statuspage, public: str, *, mail: bool) -> Step:
    told = "mail to its subscribers" if mail else "no mail"
    return Step(
        key=STATUSPAGE,
        kind=StepKind.TELL,
        words=f"status page: {public}, {told}",
        call=f"POST or PATCH /v1/pages/{settings.page}/incidents",
        required=False,
        expected_s=3.0,
    )


async def carry_out(context: Context, step: Step, news: News) -> StepResult:
    """Either of the two steps."""
    return await _page(context, news) if step.key == STATUSPAGE else _people(context, news)


async def _page(context: Context, news: News) -> StepResult:
    """Tell the page, at once. What it does not take is left to the collector, which tries for a day; until then it
    stands in the ledger. Raises what the page's refusal means."""
    settings = context.operations.statuspage
    try:
        maintenance_untold.superseded(context)
        return await _told_page(context, news)
    except (Rejected, Unanswered) as error:
        told = _update(context, news)
        if settings is None or not maintenance_untold.leave(context, settings, news.what, told, str(error)):
            raise
        raise type(error)(f"{error}; the collector tries again: radar notify") from None


def _update(context: Context, news: News) -> Update:
    """The texts and times of it; its states follow from what it tells."""
    until_ms = news.page_until_ms
    named = until_ms is not None or news.what == "cancelled"
    return Update(
        key=news.key, environment=context.environment.name, name=TITLE if named else UNPLANNED, status="",
        body=_body(news), impact="maintenance", mail=news.mail,
        scheduled_for=iso(news.from_ms) if until_ms else None, scheduled_until=iso(until_ms) if until_ms else None,
    )  # fmt: skip


async def _told_page(context: Context, news: News) -> StepResult:
    """What was told already is not told again: the page is read first, and again after no answer."""
    settings = context.operations.statuspage
    if settings is None:
        return failed("no status page is configured any more")
    page = StatusPage(settings, context)
    told = Told(
        key=news.key, environment=context.environment.name, name=_name(news),
        body=_body(news), from_ms=news.from_ms, until_ms=news.page_until_ms, mail=news.mail,
    )  # fmt: skip
    if news.what == "cancelled":
        withdrawn = await page.withdraw(told)
        return done(f"{withdrawn.id} is withdrawn" if withdrawn else "nothing of it stands there")
    if news.what == "over":
        ended = await page.end(told)
        touched = f"{len(settings.components)} components operational" if settings.components else "no components"
        return done(f"completed {', '.join(each.id for each in ended) or 'nothing: none of ours was open'}; {touched}")
    entry = await _entered(page, told, news)
    return done(f"{entry.id} is {entry.status.replace('_', ' ')}", statuspage=entry.id)


async def _entered(page: StatusPage, told: Told, news: News) -> Entry:
    """The entry: made, or the one that is under way already."""
    if news.what == "announced":
        return await page.schedule(told)
    if (news.again or news.what == "changed") and not news.announced:
        return await page.amend(told, anew=news.what == "changed")
    return await page.begin(told)


def _name(news: News) -> str:
    return TITLE if news.page_until_ms or news.what in ("over", "cancelled") else UNPLANNED


def _body(news: News) -> str:
    if news.what != "changed" or news.until_ms is None:
        return news.message
    return f"{news.message}\nPlanned end: {date_time(news.until_ms)} UTC."


def is_told(context: Context) -> bool:
    """Whether people were told of the maintenance under way by another run than this. Blocking."""
    newest = context.records.read(
        lambda connection: connection.execute(
            "SELECT event FROM outbox WHERE (event LIKE 'maintenance/%/begun' OR event LIKE 'maintenance/%/over') "
            "AND event NOT LIKE ? ORDER BY id DESC LIMIT 1",
            (f"maintenance/{context.run}/%",),
        ).fetchone()
    )
    return newest is not None and str(newest[0]).endswith("/begun")


_TIMES = {
    "announced": "planned for",
    "cancelled": "was planned for",
}


def _facts(news: News, operator: str) -> dict[str, str]:
    """When and by whom; of what has no planned end that it has none."""
    facts = {_TIMES.get(news.what, "since"): f"{date_time(news.from_ms)} UTC", "from": operator}
    if news.what in ("begun", "changed", "announced"):
        facts["until"] = f"{date_time(news.until_ms)} UTC" if news.until_ms else "no planned end"
    return facts


def _people(context: Context, news: News) -> StepResult:
    """One row for each channel, once for each run."""
    environment, what = context.environment, news.what
    if what == "over" and news.untold:
        return done("nobody was told that it began, and so nobody is told that it is over")
    if what in ("begun", "changed") and (news.again or what == "changed"):
        told = is_told(context)
        if told and what == "begun":
            return done("they were told already")
        what = what if told else "begun"
    title = f"Maintenance of {environment.name} {what}"
    facts = _facts(news, context.operator)
    text = news.message + (f"\nWhy: {context.reason}" if context.reason else "")
    content = notice(text, where=where_words(environment.name, environment.label), facts=facts)
    names = channels(context.operations)
    try:
        for name in names:
            outbox.add(context.records, f"maintenance/{context.run}/{what}", name, title, content)
    except StoreError as error:
        return failed(f"nobody is told: {error}")
    return done(f"in the outbox for {', '.join(names)}")
