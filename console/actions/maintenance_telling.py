"""Telling people of maintenance: the public by our status page, colleagues by the outbox. Neither holds up the rest."""

from __future__ import annotations

from dataclasses import dataclass

from console.actions.base import Context, done, failed
from console.actions.status_page import StatusPage, Told
from console.model.actions import Step, StepKind, StepResult
from console.model.maintenance import channels
from console.model.operations import Operations, Statuspage
from console.model.times import date_time
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
    """`begun`, `over`, `announced`, `cancelled`."""
    message: str
    from_ms: int
    until_ms: int
    mail: bool


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
    """What was told already is not told again: the page is read first, and again after no answer."""
    settings = context.operations.statuspage
    if settings is None:
        return failed("no status page is configured any more")
    page = StatusPage(settings, context)
    told = Told(
        key=news.key, environment=context.environment.name, name=TITLE, body=news.message, from_ms=news.from_ms,
        until_ms=news.until_ms, mail=news.mail,
    )  # fmt: skip
    if news.what == "cancelled":
        withdrawn = await page.withdraw(told)
        return done(f"{withdrawn.id} is withdrawn" if withdrawn else "nothing of it stands there")
    if news.what == "over":
        ended = await page.end(told)
        touched = f"{len(settings.components)} components operational" if settings.components else "no components"
        return done(f"completed {', '.join(each.id for each in ended) or 'nothing: none of ours was open'}; {touched}")
    entry = await (page.schedule(told) if news.what == "announced" else page.begin(told))
    return done(f"{entry.id} is {entry.status.replace('_', ' ')}", statuspage=entry.id)


def _people(context: Context, news: News) -> StepResult:
    """One row for each channel, once for each run."""
    environment = context.environment
    title = f"Maintenance of {environment.name} {news.what}"
    facts = {"since": f"{date_time(news.from_ms)} UTC", "from": context.operator}
    facts |= {"until": f"{date_time(news.until_ms)} UTC"} if news.what in ("begun", "announced") else {}
    text = news.message + (f"\nWhy: {context.reason}" if context.reason else "")
    content = notice(text, where=where_words(environment.name, environment.label), facts=facts)
    names = channels(context.operations)
    try:
        for name in names:
            outbox.add(context.records, f"maintenance/{context.run}/{news.what}", name, title, content)
    except StoreError as error:
        return failed(f"nobody is told: {error}")
    return done(f"in the outbox for {', '.join(names)}")
